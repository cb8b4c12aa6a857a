"""The keyset query of a poll meets every row exactly once, however many share a second."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from connectory_servicenow.sandbox import AclSwitches, Sandbox, Switches

START = datetime(2024, 5, 1, tzinfo=UTC)


def table_of(seconds, switches):
    sandbox = Sandbox(lambda: START + timedelta(days=1), switches=switches)
    sandbox.insert("sys_user", {"user_name": "admin"})
    for second in seconds:
        sandbox.insert("core_company", {"name": f"second {second}"}, at=START + timedelta(seconds=second))
    return sandbox


def walk(sandbox, limit):
    """Every row after the last one seen; a page without rows is stepped over until the count says it is the end."""
    client, last, offset, seen = Client(sandbox), ("2024-05-01 00:00:00", ""), 0, []
    while True:
        stamp, sys_id = last
        query = f"sys_updated_on>={stamp}^sys_updated_on>{stamp}^ORsys_id>{sys_id}^ORDERBYsys_updated_on^ORDERBYsys_id"
        params = {"sysparm_query": query, "sysparm_limit": limit, "sysparm_offset": offset}
        reply = client.get("/api/now/table/core_company", query_string=params, auth=("admin", "admin"))
        rows = [row for row in reply.json["result"] if row]
        if rows:
            seen += [row["sys_id"] for row in rows]
            last, offset = (rows[-1]["sys_updated_on"], rows[-1]["sys_id"]), 0
        elif offset + limit >= int(reply.headers["X-Total-Count"]):
            return seen
        else:
            offset += limit


seconds_with_ties = st.lists(st.integers(0, 5), max_size=25)


@given(seconds_with_ties, st.integers(1, 7), st.sampled_from(["off", "seed", "page"]))
@settings(max_examples=40, deadline=None)
def test_walk_meets_every_row_once(seconds, limit, shuffle):
    sandbox = table_of(seconds, Switches(shuffle=shuffle))
    assert sorted(walk(sandbox, limit)) == sorted(sandbox.tables["core_company"])


@given(seconds_with_ties, st.integers(1, 4), st.floats(0, 1), st.sampled_from(["absent", "empty"]))
@settings(max_examples=40, deadline=None)
def test_walk_meets_every_visible_row_once(seconds, limit, share, hidden_as):
    acl = AclSwitches(hidden_share={"core_company": share}, hidden_as=hidden_as)
    sandbox = table_of(seconds, Switches(acl=acl))
    seen = walk(sandbox, limit)
    assert len(seen) == len(set(seen))
    sandbox.switches = Switches()
    everything = walk(sandbox, 1000)
    sandbox.switches = Switches(acl=acl)
    params = {"sysparm_limit": 1000}
    reply = Client(sandbox).get("/api/now/table/core_company", query_string=params, auth=("admin", "admin"))
    visible = {row["sys_id"] for row in reply.json["result"] if row}
    assert set(seen) == visible
    assert visible <= set(everything)
