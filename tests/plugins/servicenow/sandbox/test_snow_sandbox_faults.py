"""Faults on demand: how they are named, drawn, and what a caller gets to see."""

import pytest

from connectory.sandbox import Fault, Faults
from connectory_servicenow.sandbox import KINDS

TABLE = "/api/now/table/incident"
LOGIN = {
    "grant_type": "password",
    "username": "admin",
    "password": "admin",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}


def test_the_faults_that_people_name_on_a_command_line(company):
    company.break_with(["hibernate", "slow=2.5", "lost_refresh_token"])
    assert company.faults.draw("api") == (Fault("hibernate"), Fault("slow", "2.5"))
    assert company.faults.draw("token") == (Fault("lost_refresh_token"),)


def test_unknown_fault_names_the_known_ones(company):
    with pytest.raises(ValueError, match="'nonsense'") as error:
        company.break_with(["nonsense=1"])
    assert all(kind in str(error.value) for kind in KINDS)


def test_script_is_used_up_call_by_call(company, visitor):
    company.faults.script(["bad_gateway", None, Fault("server_error", "503"), "login_html"])
    assert [visitor.get(TABLE).status_code for _ in range(5)] == [502, 200, 503, 200, 200]
    assert company.faults.waiting() == 0


def test_faults_are_noted(company, visitor):
    company.faults.script(["bad_gateway"])
    visitor.get(TABLE)
    assert company.log.entries[-1].faults == ("bad_gateway",)


def test_random_faults_are_the_same_for_the_same_seed():
    def drawn(seed):
        faults = Faults(KINDS)
        faults.random(0.3, ["slow", "dropped"], seed)
        return [fault.kind for _ in range(200) for fault in faults.draw("api")]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 40 < len(drawn(1)) < 80
    assert set(drawn(1)) == {"slow", "dropped"}


def test_random_faults_of_every_kind_keep_their_place():
    faults = Faults(KINDS)
    faults.random(1)
    at_token = {"lost_refresh_token", "token_error"}
    assert {fault.kind for _ in range(500) for fault in faults.draw("api")} == set(KINDS) - at_token
    assert {fault.kind for _ in range(50) for fault in faults.draw("token")} == at_token


def test_faults_can_stay_and_go(company, visitor):
    company.faults.always(["bad_gateway"])
    assert [visitor.get(TABLE).status_code for _ in range(2)] == [502, 502]
    company.faults.clear()
    assert visitor.get(TABLE).status_code == 200


def hit(company, visitor, fault, query="ORDERBYnumber", **params):
    company.faults.script([fault])
    return visitor.get(TABLE, query, **params)


def test_hidden_rows(company, visitor):
    reply = hit(company, visitor, "hidden_rows=0.5", limit=20)
    assert 0 < len(reply.json["result"]) < 20
    assert reply.headers["X-Total-Count"] == "60"


def test_empty_page(company, visitor):
    reply = hit(company, visitor, "empty_page", limit=20)
    assert (reply.json["result"], reply.headers["X-Total-Count"]) == ([], "60")
    assert 'rel="next"' in reply.headers["Link"]


def test_ignored_query(company, visitor):
    assert len(hit(company, visitor, "ignored_query", "number=INC0010001").json["result"]) == 60


def test_ignored_filter_leaves_the_order(company, visitor):
    rows = hit(company, visitor, "ignored_filter", "number=INC0010001^ORDERBYDESCnumber", fields="number").json
    numbers = [row["number"] for row in rows["result"]]
    assert len(numbers) == 60
    assert numbers == sorted(numbers, reverse=True)


def test_partial_200(company, visitor):
    body = hit(company, visitor, "partial_200=3").json
    assert (len(body["result"]), body["status"]) == (3, "failure")
    assert len(hit(company, visitor, "partial_200").json["result"]) == 30


def test_cut_json(company, visitor):
    reply = hit(company, visitor, "cut_json=0.5")
    assert reply.status_code == 200
    assert int(reply.headers["Content-Length"]) == len(reply.data)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        _ = reply.get_json()


@pytest.mark.parametrize(
    ("fault", "status", "mimetype"),
    [
        ("hibernate", 200, "text/html"),
        ("login_html", 200, "text/html"),
        ("bad_gateway", 502, "text/html"),
        ("server_error", 500, "text/html"),
        ("server_error=504", 504, "text/html"),
        ("rate_limited", 429, "application/json"),
        ("semaphore", 429, "text/html"),
        ("long_url", 414, "text/html"),
        ("unauthorized", 401, "application/json"),
        ("forbidden", 403, "application/json"),
        ("unavailable", 503, "application/json"),
    ],
)
def test_answers_that_are_none(company, visitor, fault, status, mimetype):
    reply = hit(company, visitor, fault)
    assert (reply.status_code, reply.mimetype) == (status, mimetype)


def test_sleeping_instance_may_send_elsewhere(company, visitor):
    assert hit(company, visitor, "hibernate=redirect").status_code == 302


def test_rate_limited_says_for_how_long(company, visitor):
    reply = hit(company, visitor, "rate_limited=7")
    assert reply.headers["Retry-After"] == "7"
    assert int(reply.headers["X-RateLimit-Reset"]) == company.clock.now().timestamp() + 7
    assert "Retry-After" not in hit(company, visitor, "semaphore").headers


def test_slow(company, visitor):
    import time

    begun = time.monotonic()
    reply = hit(company, visitor, "slow=0.1")
    assert len(reply.json["result"]) == 60
    assert time.monotonic() - begun >= 0.1


def test_dropped(company, visitor):
    reply = hit(company, visitor, "dropped")
    assert len(reply.data) < int(reply.headers["Content-Length"])


def tokens(visitor, **values):
    return visitor.client.post("/oauth_token.do", data=LOGIN | values)


def test_lost_refresh_token(company, visitor):
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens(visitor).json["refresh_token"]}
    company.faults.script(["lost_refresh_token"])
    assert visitor.get(TABLE).status_code == 200
    assert tokens(visitor, **refresh).status_code == 401
    assert tokens(visitor, **refresh).status_code == 401


def test_lost_reply_of_a_refresh(company, visitor):
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens(visitor).json["refresh_token"]}
    company.faults.script(["lost_refresh_token=reply"])
    lost = tokens(visitor, **refresh)
    assert len(lost.data) < int(lost.headers["Content-Length"])
    assert tokens(visitor, **refresh).status_code == 200


def test_faults_of_the_token_address(company, visitor):
    company.faults.script([Fault("hibernate", at="token")])
    assert visitor.get(TABLE).mimetype == "application/json"
    assert tokens(visitor).mimetype == "text/html"
