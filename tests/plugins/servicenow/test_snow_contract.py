"""ServiceNow keeps the contract of all elements, in the zone of California and with rows in no order of their own."""

from __future__ import annotations

from dataclasses import replace

import connectory_servicenow.plugin
from connectory.testing import ElementContract
from connectory.testing.sandbox import consent
from connectory_servicenow.playground import USER, Playground
from connectory_servicenow.sandbox import create_sandbox
from connectory_servicenow.sandbox.replies import ApiError, error_reply

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
        return Playground(create_sandbox(incidents=3, companies=2, users=3))

    def create(self, sandbox, resource):
        inside = sandbox.sandbox
        return inside.insert(TABLES[resource], NEW[resource](len(inside.tables[TABLES[resource]]) + 1)).sys_id

    def update(self, sandbox, resource, record_id):
        column = "short_description" if resource == "incidents" else "phone"
        sandbox.sandbox.update(TABLES[resource], record_id, {column: f"{sandbox.sandbox.log.total}"})

    def delete(self, sandbox, resource, record_id):
        sandbox.sandbox.delete(TABLES[resource], record_id)

    def set_clock(self, sandbox, now):
        sandbox.sandbox.clock._source = now

    def consent(self, sandbox, authorize_url, answer="allow"):
        filled = {"user_name": USER, "user_password": USER}
        return consent(sandbox, authorize_url, username=USER, password=USER, answer=answer, fields=filled)

    def refuse(self, sandbox, authorize_url):
        return self.consent(sandbox, authorize_url, "deny")

    def end_access_tokens(self, sandbox):
        sandbox.sandbox.authority.expire("access")

    def end_logins(self, sandbox):
        sandbox.sandbox.authority.expire("all")

    def rotate_refresh_tokens(self, sandbox):
        inside = sandbox.sandbox
        inside.switches = replace(inside.switches, oauth=replace(inside.switches.oauth, rotate_refresh=True))

    def error(self, sandbox, status, message):
        return error_reply(ApiError(status, message))
