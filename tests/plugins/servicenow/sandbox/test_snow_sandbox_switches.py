"""Each switch, seen from a caller."""

from dataclasses import replace

import pytest

from connectory.sandbox import as_json, changed
from connectory_servicenow.sandbox import AclSwitches, OAuthSwitches, RateLimit, Switches


def turn(sandbox, **values):
    sandbox.switches = replace(sandbox.switches, **values)


@pytest.fixture
def ten(sandbox):
    for number in range(10):
        values = {"name": f"C{number}", "city": "even" if number % 2 == 0 else "odd"}
        sandbox.insert("core_company", values, at=f"2024-04-01 10:00:0{number}")
    return sandbox


def names(caller, query="ORDERBYname", **params):
    return [row.get("name") for row in caller.rows("core_company", query, **params)]


def test_patches_reach_into_groups():
    patched = changed(Switches(), {"oauth": {"rotate_refresh": True}, "acl": {"hidden_rows": {"incident": "a=1"}}})
    assert patched.oauth == OAuthSwitches(rotate_refresh=True)
    assert patched.acl.hidden_rows == {"incident": "a=1"}
    assert changed(patched, {"rate_limit": {"limit": 3}}).rate_limit == RateLimit(limit=3)
    assert changed(patched, {"rate_limit": None}).rate_limit is None
    assert changed(patched, {"oauth": {"grants": ["password"]}}).oauth.grants == ("password",)
    assert as_json(patched)["oauth"]["access_ttl"] == 1800


@pytest.mark.parametrize("patch", [{"nonsense": 1}, {"oauth": {"nonsense": 1}}, {"shuffle": "nonsense"}])
def test_patches_with_typing_errors_are_refused(patch):
    with pytest.raises(ValueError, match=r"nonsense|shuffle"):
        changed(Switches(), patch)


def test_hidden_rows_thin_pages_after_the_limit(ten, caller):
    turn(ten, acl=AclSwitches(hidden_rows={"core_company": "city=odd"}))
    reply = caller.get("/api/now/table/core_company", "ORDERBYname", limit=3)
    assert [row["name"] for row in reply.json["result"]] == ["C0", "C2"]
    assert reply.headers["X-Total-Count"] == "10"
    odd = next(row for row in ten.tables["core_company"].values() if row["city"] == "odd")
    assert caller.get(f"/api/now/table/core_company/{odd.sys_id}").status_code == 404


def test_hidden_rows_as_empty_objects(ten, caller):
    turn(ten, acl=AclSwitches(hidden_rows={"core_company": "city=odd"}, hidden_as="empty"))
    assert names(caller, limit=3) == ["C0", None, "C2"]


def test_hidden_share_is_steady(ten, caller):
    turn(ten, acl=AclSwitches(hidden_share={"core_company": 0.5}))
    first = names(caller)
    assert 0 < len(first) < 10
    assert names(caller) == first


def test_page_that_is_all_hidden(ten, caller):
    acl = AclSwitches(hidden_share={"core_company": 1})
    turn(ten, acl=acl)
    assert names(caller, limit=3) == []
    turn(ten, acl=replace(acl, forbidden_when_all_hidden=True))
    reply = caller.get("/api/now/table/core_company", limit=3)
    assert (reply.status_code, reply.json["error"]["message"]) == (403, "User Not Authorized")
    assert "3 rows" in reply.json["error"]["detail"]


def test_dropped_fields(ten, caller):
    turn(ten, acl=AclSwitches(dropped_fields={"core_company": ("name",)}))
    assert caller.rows("core_company", fields="name,city", limit=1)[0].keys() == {"city"}
    assert "name" not in caller.rows("core_company", limit=1)[0]
    assert caller.rows("core_company", fields="name", limit=2) == [{}, {}]


def test_forbidden_tables(ten, caller):
    turn(ten, acl=AclSwitches(forbidden_tables=("core_company",)))
    assert caller.get("/api/now/table/core_company").status_code == 403


def test_range_refused_leaves_comparisons_and_sorting_out(ten, caller):
    turn(ten, acl=AclSwitches(range_refused={"core_company": ("sys_updated_on", "name")}), shuffle="off")
    assert len(names(caller, "sys_updated_on>2024-04-01 10:00:08")) == 10
    assert len(names(caller, "sys_updated_on=2024-04-01 10:00:08")) == 1
    assert names(caller, "sys_updated_on>2024-04-01 10:00:08^nameINC1,C2^ORDERBYDESCname") == ["C1", "C2"]


def test_before_query_rules_hide_rows_from_the_count_as_well(ten, caller):
    turn(ten, acl=AclSwitches(before_query={"core_company": "city=even"}))
    reply = caller.get("/api/now/table/core_company")
    assert (len(reply.json["result"]), reply.headers["X-Total-Count"]) == (5, "5")


def test_bad_field_returns_no_rows(ten, caller):
    turn(ten, returns_no_rows=True)
    assert names(caller, "nonsense=1^name=C1") == []
    assert names(caller, "name=C1") == ["C1"]


def test_cancelled_transaction(ten, caller):
    turn(ten, cancel_after=4)
    body = caller.get("/api/now/table/core_company", "ORDERBYname").json
    assert len(body["result"]) == 4
    assert body["status"] == "failure"
    assert body["error"]["message"] == "Transaction cancelled: maximum execution time exceeded"
    assert "error" not in caller.get("/api/now/table/core_company", limit=4).json


def test_cancelled_transaction_in_other_styles(ten, caller):
    turn(ten, cancel_after=4, cancel_style="stray")
    rows = caller.get("/api/now/table/core_company").json["result"]
    assert (len(rows), type(rows[-1])) == (5, str)
    turn(ten, cancel_style="cut")
    reply = caller.get("/api/now/table/core_company")
    assert (reply.status_code, reply.mimetype) == (200, "application/json")
    with pytest.raises(ValueError, match="Expecting"):
        _ = reply.get_json()


@pytest.mark.parametrize("path", ["/api/now/table/incident", "/oauth_token.do", "/oauth_auth.do"])
def test_sleeping_instance(ten, caller, path):
    turn(ten, hibernate="page")
    asleep = caller.get(path)
    assert (asleep.status_code, asleep.mimetype) == (200, "text/html")
    assert "Hibernating" in asleep.text
    turn(ten, hibernate="redirect")
    assert caller.get(path).headers["Location"].startswith("https://developer.servicenow.com/")


def test_html_where_json_is_due(ten, caller):
    turn(ten, login_html=True)
    login = caller.get("/api/now/table/incident")
    assert (login.status_code, login.mimetype) == (200, "text/html")
    assert "user_password" in login.text
    turn(ten, login_html=False, bad_gateway=True)
    gateway = caller.get("/api/now/table/incident")
    assert (gateway.status_code, gateway.mimetype) == (502, "text/html")


def test_rate_limit(clock, ten, caller):
    turn(ten, rate_limit=RateLimit(limit=2))
    clock.advance(600)
    for _ in range(2):
        allowed = caller.get("/api/now/table/incident")
        assert allowed.status_code == 200
        assert allowed.headers["X-RateLimit-Limit"] == "2"
    refused = caller.get("/api/now/table/incident")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3000")
    assert refused.json["error"]["message"] == "Rate limit exceeded"
    assert int(refused.headers["X-RateLimit-Reset"]) == clock.now().timestamp() + 3000
    assert len(refused.headers["X-RateLimit-Rule"]) == 32
    ten.insert("sys_user", {"user_name": "other"})
    caller.auth = ("other", "other")
    assert caller.get("/api/now/table/incident").status_code == 200
    caller.auth = ("admin", "admin")
    clock.advance(3000)
    assert caller.get("/api/now/table/incident").status_code == 200


def test_semaphores(ten, caller):
    turn(ten, semaphore=0)
    busy = caller.get("/api/now/table/incident")
    assert busy.status_code == 429
    assert not [name for name, _ in busy.headers if name.startswith("X-RateLimit") or name == "Retry-After"]
    turn(ten, semaphore=1)
    assert caller.get("/api/now/table/incident").status_code == 200
    assert ten.running.count == 0


def test_zones_of_display_values(ten, caller):
    def shown():
        return caller.column("core_company", "sys_created_on", "name=C0", display_value="true")[0]

    assert shown() == "2024-04-01 03:00:00"
    turn(ten, instance_zone="Europe/Berlin")
    assert shown() == "2024-04-01 12:00:00"
    ten.update("sys_user", ten.user_named("admin").sys_id, {"time_zone": "GMT"})
    assert shown() == "2024-04-01 10:00:00"
    turn(ten, user_zone="Asia/Tokyo")
    assert shown() == "2024-04-01 19:00:00"
    assert caller.column("core_company", "sys_created_on", "name=C0") == ["2024-04-01 10:00:00"]


def test_instance_zone_is_a_property(company, visitor):
    turn(company, instance_zone="Europe/Berlin")
    assert visitor.column("sys_properties", "value", "name=glide.sys.default.tz") == ["Europe/Berlin"]


def test_zone_of_literals(ten, caller):
    turn(ten, user_zone="Asia/Tokyo")
    assert names(caller, "sys_created_on=2024-04-01 10:00:03") == ["C3"]
    turn(ten, literal_zone="user")
    assert names(caller, "sys_created_on=2024-04-01 19:00:03") == ["C3"]


def test_letter_t_in_literals(ten, caller):
    # As text, every stamp of the same day is smaller than one with a T.
    assert names(caller, "sys_created_on>2024-04-01T10:00:07") == []
    turn(ten, t_literals="accepted")
    for literal in ("2024-04-01T10:00:07", "2024-04-01T10:00:07Z"):
        assert names(caller, f"sys_created_on>{literal}^ORDERBYname") == ["C8", "C9"]


def test_rows_come_in_no_order_unless_asked(ten, caller):
    in_order = [f"C{number}" for number in range(10)]
    assert names(caller) == in_order
    shuffled = names(caller, "")
    assert shuffled != in_order
    assert sorted(shuffled) == in_order
    assert names(caller, "") == shuffled
    assert names(caller, "", limit=5) + names(caller, "", limit=5, offset=5) == shuffled
    ties = names(caller, "ORDERBYcity")
    assert sorted(ties[:5]) == ["C0", "C2", "C4", "C6", "C8"] != ties[:5]
    turn(ten, shuffle="off")
    assert names(caller, "") == in_order


def test_rows_that_nobody_ordered_may_move_between_pages(ten, caller):
    turn(ten, shuffle="page")
    paged = [name for offset in range(0, 10, 2) for name in names(caller, "ORDERBYcity", limit=2, offset=offset)]
    assert len(set(paged)) < 10
    paged = [name for offset in range(0, 10, 2) for name in names(caller, limit=2, offset=offset)]
    assert len(set(paged)) == 10


def test_commits_come_late(clock, ten, caller):
    turn(ten, commit_delay=5)
    company = ten.insert("core_company", {"name": "new"})
    clock.advance(3)
    assert names(caller, "name=new") == []
    ten.update("core_company", company.sys_id, {"phone": "1"})
    clock.advance(2)
    assert caller.rows("core_company", "name=new", fields="phone,sys_updated_on") == [
        {"phone": "", "sys_updated_on": "2024-05-01 12:00:00"}
    ]
    clock.advance(3)
    assert caller.rows("core_company", "name=new", fields="phone,sys_updated_on") == [
        {"phone": "1", "sys_updated_on": "2024-05-01 12:00:03"}
    ]
    ten.delete("core_company", company.sys_id)
    assert names(caller, "name=new") == []


def test_calls_touch_their_own_user(clock, ten, caller):
    before = ten.user_named("admin")
    turn(ten, touch_own_user=True)
    clock.advance(10)
    caller.get("/api/now/table/incident")
    after = ten.user_named("admin")
    changed_fields = {name for name in after if after[name] != before[name]}
    assert changed_fields == {"last_login", "last_login_time", "sys_updated_on", "sys_mod_count"}
    assert after["last_login_time"] == "2024-05-01 12:00:10"


def test_clock_can_be_wrong(clock, ten, caller):
    clock.skew(-120)
    assert caller.get("/api/now/table/incident").headers["Date"] == "Wed, 01 May 2024 11:58:00 GMT"
    assert ten.insert("core_company", {})["sys_created_on"] == "2024-05-01 11:58:00"
    clock.skew(0)
    assert caller.get("/api/now/table/incident").headers["Date"] == "Wed, 01 May 2024 12:00:00 GMT"


def test_people_may_work_during_a_poll(company, visitor):
    turn(company, steps_per_call=3)
    visitor.get("/api/now/table/incident", limit=1)
    visitor.get("/api/now/table/incident", limit=1)
    assert company.steps == 6
