"""What each answer means: by the documented texts, and by what the sandbox really sends."""

from __future__ import annotations

import json

import pytest
from requests.structures import CaseInsensitiveDict
from werkzeug.test import Client

from connectory.model import Action, Response
from connectory_servicenow import verdicts
from connectory_servicenow.sandbox import AclSwitches, OAuthSwitches, RateLimit, Switches, create_sandbox
from connectory_servicenow.verdicts import judge

LIST = "https://acme.service-now.com/api/now/v2/table/incident?sysparm_limit=9"
RECORD = "https://acme.service-now.com/api/now/v2/table/incident/46d44a23a9fe19810012d100cca80666"
JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
OVERTIME = "Transaction cancelled: maximum execution time exceeded"
CANCELLED = f'"error":{{"message":"{OVERTIME}","detail":"x"}},"status":"failure"}}'
ROWS = json.dumps([{"sys_id": str(number), "caller_id": {"link": "x", "value": "y"}} for number in range(3)])


def response(status=200, body=b"", content_type=JSON, url=LIST, headers=None):
    return Response(
        status=status,
        headers=CaseInsensitiveDict({"Content-Type": content_type, **(headers or {})}),
        body=body.encode() if isinstance(body, str) else body,
        url=url,
    )


def failure(message, detail=None):
    return json.dumps({"error": {"message": message, "detail": detail}, "status": "failure"})


def page(title, text=""):
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{text}</body></html>"


@pytest.mark.parametrize(
    "body",
    [
        '{"result":[]}',
        f'{{"result":{ROWS}}}',
        f'{{ "result" : {ROWS} }}\n',
        '{"result":{"sys_id":"1"}}',
        '{"result":{"sys_id":"1","caller_id":{"link":"x","value":"y"}}}',
        '{"result":{"note":"\\"error\\": in the text, status failure"}}',
        '{"result":[{"note":"Transaction cancelled: maximum execution time exceeded"}]}',
        '{"result":{"stats":{"count":"3"}}}',
        '{"batch_request_id":"1","serviced_requests":[],"unserviced_requests":[]}',
    ],
)
def test_good_answers(body):
    assert judge(response(body=body)).action is Action.ACCEPT


def test_an_answer_without_a_body_is_good_where_none_is_due():
    assert judge(response(204, content_type="")).action is Action.ACCEPT


@pytest.mark.parametrize(
    "body",
    [
        f'{{"result":{ROWS},{CANCELLED}',
        f'{{"result":{ROWS[:-1]},"Transaction cancelled: maximum execution time exceeded"],{CANCELLED}',
        f'{{{CANCELLED[:-1]},"result":{ROWS}}}',
        f'{{"result":{ROWS},"status":"failure","error":{{"message":"m","detail":null}}}}',
        '{"result":{"sys_id":"1"},"error":{"message":"m"}}',
        f'{{"result":{ROWS},"status":"failure"}}',
        f'{{"result":{ROWS}',
        f'{{"result":{ROWS[:-1]},',
        f'{{"result":{ROWS[:40]}',
        '{"result":[',
        "{",
        "",
        "null",
    ],
)
def test_partial_answers_are_asked_for_in_smaller_pages(body):
    verdict = judge(response(body=body))
    assert verdict.action is Action.SHRINK
    assert verdict.hint


def test_a_partial_answer_says_what_servicenow_said():
    verdict = judge(response(body=f'{{"result":{ROWS},{CANCELLED}'))
    assert verdict.provider_message == "Transaction cancelled: maximum execution time exceeded: x"


def test_a_good_page_is_not_parsed(monkeypatch):
    def explode(*_, **__):
        raise AssertionError("parsed")

    monkeypatch.setattr(verdicts.msgspec.json, "decode", explode)
    assert judge(response(body=f'{{"result":{ROWS}}}')).action is Action.ACCEPT


ACCESS = failure("User Not Authorized", "Failed API level ACL Validation")
HIDDEN = failure("User Not Authorized", "36 rows of incident are constrained by ACL")
NO_RECORD = failure("No Record found", "Record doesn't exist or ACL restricts the record retrieval")


@pytest.mark.parametrize(
    ("answer", "action", "reason", "hint"),
    [
        (response(body=page("Instance Hibernating page"), content_type=HTML), Action.RETRY, "asleep", "wake it"),
        (
            response(302, headers={"Location": "https://developer.servicenow.com/dev.do#!/home?wu=true"}),
            Action.RETRY,
            "asleep or has moved: it redirects to developer.servicenow.com",
            "wake it",
        ),
        (response(302, headers={"Location": "/login.do"}), Action.RETRY, "another page, /login.do", "browser"),
        (
            response(body=page("Log in", '<input id="user_password">'), content_type=HTML),
            Action.RETRY,
            "login page",
            "single sign-on",
        ),
        (response(body=page("Upgrade in progress"), content_type=HTML), Action.RETRY, "a web page", "browser"),
        (response(body="<xml/>", content_type="application/xml"), Action.RETRY, "application/xml", None),
        (response(202, "{}"), Action.RETRY, "too many calls", None),
        (response(400, failure("Invalid table incident")), Action.FAIL, "no table incident", "Customer Service"),
        (response(400, failure("Pagination not supported")), Action.FAIL, "too long", "fewer conditions"),
        (
            response(400, failure("Requested URI does not represent any resource"), url=LIST.replace("v2", "v9")),
            Action.FAIL,
            "no such API",
            "right instance",
        ),
        (response(400, failure("Something else")), Action.FAIL, "does not understand", None),
        (response(401, failure("User Not Authenticated", "Required")), Action.RENEW, "access token", "access policy"),
        (response(401, "{}", headers={"X-MFA_TOKEN": "invalid"}), Action.FAIL, "second factor", "exempt"),
        (response(403, failure("Missing required api access scope")), Action.FAIL, "scope", "useraccount"),
        (response(403, ACCESS), Action.FAIL, "may not read incident", "role"),
        (response(403, HIDDEN), Action.EMPTY, "hidden", None),
        (response(403, failure("Operation Failed", "ACL Exception")), Action.FAIL, "refused to write", "rule"),
        (response(404, NO_RECORD, url=RECORD), Action.FAIL, "does not exist, or is hidden", None),
        (response(404, NO_RECORD, url=LIST.replace("v2", "v1")), Action.EMPTY, "empty", None),
        (response(404, NO_RECORD, url=LIST.replace("/v2", "")), Action.EMPTY, "empty", None),
        (response(404, "", content_type=HTML), Action.FAIL, "no such URL", "right instance"),
        (response(405, failure("Method not supported")), Action.FAIL, "405", None),
        (response(414, page("414 Request-URI Too Large"), content_type=HTML), Action.FAIL, "too long", "fewer"),
        (response(429, "", content_type=HTML), Action.RETRY, "busy", None),
        (response(499, ""), Action.RETRY, "499", None),
        (response(500, page("500"), content_type=HTML), Action.RETRY, "500", None),
        (
            response(500, failure(OVERTIME)),
            Action.SHRINK,
            "quota",
            None,
        ),
        (response(502, page("502 Bad Gateway"), content_type=HTML), Action.RETRY, "502", None),
        (response(503, ""), Action.RETRY, "503", None),
        (response(403, "not json"), Action.FAIL, "may not read incident", None),
        (response(403, '{"error":"text"}'), Action.FAIL, "may not read incident", None),
    ],
)
def test_refusals_and_outages(answer, action, reason, hint):
    verdict = judge(answer)
    assert verdict.action is action
    assert reason in verdict.reason
    assert hint is None or hint in (verdict.hint or "")
    assert verdict.action is Action.RENEW or verdict.retry_after is None


def test_what_the_provider_said_is_kept():
    assert judge(response(403, ACCESS)).provider_message == "User Not Authorized: Failed API level ACL Validation"
    assert judge(response(502, page("502\n Bad Gateway"), content_type=HTML)).provider_message == "502 Bad Gateway"
    assert judge(response(400, failure("x" * 1000))).provider_message == "x" * 300
    assert judge(response(503, "")).provider_message is None


DATE = "Wed, 01 May 2024 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30", "X-RateLimit-Limit": "100"}, 30.0),
        (
            {"X-RateLimit-Limit": "100", "X-RateLimit-Reset": "1714557660", "Date": DATE},
            60.0,
        ),
        ({"X-RateLimit-Limit": "100", "X-RateLimit-Reset": "1714557000", "Date": DATE}, 0.0),
        ({"X-RateLimit-Limit": "100", "X-RateLimit-Reset": "1714557660"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers, seconds):
    answer = Response(status=429, headers=CaseInsensitiveDict(headers), body=b"")
    assert judge(answer).retry_after == seconds


def test_an_hourly_limit_names_it():
    verdict = judge(Response(status=429, headers=CaseInsensitiveDict({"X-RateLimit-Limit": "100"}), body=b""))
    assert "limit of 100 requests" in verdict.reason
    assert "rate limit rule" in (verdict.hint or "")


# Against the sandbox


@pytest.fixture(scope="module")
def sandbox():
    return create_sandbox(companies=2, users=6, incidents=8)


@pytest.fixture
def ask(sandbox):
    def send(path="v2/table/incident", switches=None, fault=None, user="admin"):
        sandbox.switches = switches or Switches()
        sandbox.faults.clear()
        if fault:
            sandbox.faults.script([fault])
        url = f"http://localhost/api/now/{path}"
        reply = Client(sandbox).get(url, auth=(user, user), headers={"Accept": "application/json"})
        headers = CaseInsensitiveDict(reply.headers)
        return judge(Response(status=reply.status_code, headers=headers, body=reply.get_data(), url=url))

    return send


@pytest.mark.parametrize(
    ("fault", "action"),
    [
        (None, Action.ACCEPT),
        ("empty_page", Action.ACCEPT),
        ("partial_200", Action.SHRINK),
        ("cut_json", Action.SHRINK),
        ("hibernate", Action.RETRY),
        ("hibernate=redirect", Action.RETRY),
        ("login_html", Action.RETRY),
        ("bad_gateway", Action.RETRY),
        ("rate_limited", Action.RETRY),
        ("semaphore", Action.RETRY),
        ("server_error", Action.RETRY),
    ],
)
def test_faults_of_the_sandbox(ask, fault, action):
    assert ask(fault=fault).action is action


def test_the_sandbox_says_when_to_come_back(ask):
    assert ask(fault="rate_limited").retry_after == 30


@pytest.mark.parametrize(
    ("path", "switches", "action", "reason"),
    [
        ("v1/table/incident?sysparm_query=number=x", None, Action.EMPTY, "empty"),
        ("v2/table/incident?sysparm_query=number=x", None, Action.ACCEPT, ""),
        ("v2/table/incident/unknown", None, Action.FAIL, "does not exist"),
        ("v2/table/customer_account", None, Action.FAIL, "no table customer_account"),
        ("v2/nothing", None, Action.FAIL, "no such API"),
        ("v2/table/incident?sysparm_query=" + "x" * 17_000, None, Action.FAIL, "too long"),
        ("v2/table/incident", Switches(cancel_after=2), Action.SHRINK, "quota"),
        ("v2/table/incident", Switches(cancel_after=2, cancel_style="stray"), Action.SHRINK, "quota"),
        ("v2/table/incident", Switches(cancel_after=2, cancel_style="cut"), Action.SHRINK, "is incomplete"),
        (
            "v2/table/incident",
            Switches(acl=AclSwitches(forbidden_tables=("incident",))),
            Action.FAIL,
            "may not read incident",
        ),
        (
            "v2/table/incident",
            Switches(acl=AclSwitches(hidden_share={"incident": 1}, forbidden_when_all_hidden=True)),
            Action.EMPTY,
            "hidden",
        ),
        ("v2/table/incident", Switches(oauth=OAuthSwitches(mfa_required=True)), Action.FAIL, "second factor"),
        ("v2/table/incident", Switches(oauth=OAuthSwitches(api_scope_missing=True)), Action.FAIL, "scope"),
        ("v2/table/incident", Switches(rate_limit=RateLimit(limit=0)), Action.RETRY, "hourly limit of 0"),
    ],
)
def test_switches_of_the_sandbox(ask, path, switches, action, reason):
    verdict = ask(path, switches)
    assert verdict.action is action
    assert reason in verdict.reason


def test_a_stranger_is_asked_to_log_in(ask):
    assert ask(user="nobody").action is Action.RENEW
