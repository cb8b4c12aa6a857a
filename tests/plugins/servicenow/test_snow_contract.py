"""ServiceNow keeps the contract of all elements, in the zone of California and with rows in no order of their own."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import Client

import connectory_servicenow.plugin
from connectory.testing import ElementContract
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

    def consent(self, sandbox, authorize_url):
        return self._answer(sandbox, authorize_url, "allow")

    def refuse(self, sandbox, authorize_url):
        return self._answer(sandbox, authorize_url, "deny")

    def _answer(self, sandbox, authorize_url, answer):
        browser, path = Client(sandbox), authorize_url.partition("127.0.0.1:8099")[2]
        page = browser.get(path, follow_redirects=False)
        for _ in range(6):
            if "Location" in page.headers:
                if "code=" in page.headers["Location"] or "error=" in page.headers["Location"]:
                    return page.headers["Location"]
                page = browser.get(page.headers["Location"])
                continue
            page = browser.post(**_filled(page.text, answer))
        raise AssertionError(page.text)

    def end_access_tokens(self, sandbox):
        sandbox.sandbox.authority.expire("access")

    def end_logins(self, sandbox):
        sandbox.sandbox.authority.expire("all")

    def rotate_refresh_tokens(self, sandbox):
        inside = sandbox.sandbox
        inside.switches = replace(inside.switches, oauth=replace(inside.switches.oauth, rotate_refresh=True))

    def error(self, sandbox, status, message):
        return error_reply(ApiError(status, message))


def _filled(page, answer):
    from connectory_servicenow.playground import _Form

    form = _Form(page)
    values = {"user_name": USER, "user_password": USER, "answer": answer}
    return {"path": form.action, "data": form.hidden | {name: values[name] for name in form.names if name in values}}
