"""An empty and a seeded instance, and a caller who is logged in."""

from datetime import UTC, datetime

import pytest
from werkzeug.test import Client

from connectory.sandbox import Clock
from connectory_servicenow.sandbox import Sandbox, create_sandbox

NOON = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)


class Caller:
    """Calls the API as one user."""

    def __init__(self, sandbox, user="admin"):
        self.sandbox = sandbox
        self.client = Client(sandbox)
        self.auth = (user, user)

    def call(self, method, path, **options):
        return self.client.open(path, method=method, auth=self.auth, buffered=True, **options)

    def get(self, path, query=None, **params):
        """GET with `sysparm_` parameters by their short names."""
        given = {f"sysparm_{name}": value for name, value in params.items()}
        if query is not None:
            given["sysparm_query"] = query
        return self.call("GET", path, query_string=given)

    def rows(self, table, query=None, **params):
        reply = self.get(f"/api/now/table/{table}", query, **params)
        assert reply.status_code == 200, reply.text
        return reply.json["result"]

    def column(self, table, field, query=None, **params):
        return [row[field] for row in self.rows(table, query, fields=field, **params)]


@pytest.fixture
def clock():
    return Clock(lambda: NOON)


@pytest.fixture
def sandbox(clock):
    """No records but the one user who calls."""
    sandbox = Sandbox(clock)
    sandbox.insert("sys_user", {"user_name": "admin", "first_name": "System", "last_name": "Administrator"})
    return sandbox


@pytest.fixture
def caller(sandbox):
    return Caller(sandbox)


@pytest.fixture
def company(clock):
    """A directory with people and incidents."""
    return create_sandbox(clock=clock)


@pytest.fixture
def visitor(company):
    return Caller(company)
