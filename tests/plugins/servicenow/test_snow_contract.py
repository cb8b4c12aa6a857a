"""ServiceNow keeps the contract of all elements, in the zone of California and with rows in no order of their own."""

from __future__ import annotations

from dataclasses import replace

import connectory_servicenow.plugin
from connectory.testing import ElementContract
from connectory_servicenow.sandbox import create_sandbox

TABLES = {"accounts": "core_company", "contacts": "sys_user", "incidents": "incident"}
NEW = {
    "accounts": lambda number: {"name": f"Company {number}"},
    "contacts": lambda number: {"user_name": f"user.{number}", "last_name": f"User {number}"},
    "incidents": lambda number: {"short_description": f"It does not work {number}"},
}


class TestServiceNow(ElementContract):
    plugin = connectory_servicenow.plugin
    element = "servicenowoauth"
    resources = tuple(TABLES)
    may_skip = ()

    def open_sandbox(self, plugins, element):
        return create_sandbox(incidents=3, companies=2, users=3)

    def create(self, sandbox, resource):
        return sandbox.insert(TABLES[resource], NEW[resource](len(sandbox.tables[TABLES[resource]]) + 1)).sys_id

    def update(self, sandbox, resource, record_id):
        column = "short_description" if resource == "incidents" else "phone"
        sandbox.update(TABLES[resource], record_id, {column: f"{sandbox.log.total}"})

    def delete(self, sandbox, resource, record_id):
        sandbox.delete(TABLES[resource], record_id)

    def rotate_refresh_tokens(self, sandbox):
        sandbox.switches = replace(sandbox.switches, oauth=replace(sandbox.switches.oauth, rotate_refresh=True))
