from __future__ import annotations

import json

import pytest

from connectory.model import Action, Response
from connectory_sageone.auth import is_dead
from connectory_sageone.verdicts import judge

PAGE = "https://api.accounting.sage.com/v3.1/contacts?items_per_page=200&attributes="
WHOLE, STAMPS = f"{PAGE}all", f"{PAGE}created_at%2Cupdated_at"


def error(code: str, message: str, source: str = "") -> list[dict]:
    return [{"$severity": "error", "$dataCode": code, "$message": message, "$source": source}]


def answer(
    status: int, body: object = b"", *, url: str = STAMPS, content_type="application/json", **headers
) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": content_type} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=named, body=data, url=url)


@pytest.mark.parametrize(
    ("response", "action", "reason"),
    [
        (answer(200, {"$items": []}), "ACCEPT", ""),
        (answer(201, {"id": "1"}), "ACCEPT", ""),
        (answer(204), "ACCEPT", ""),
        (answer(200, b"<html><title>Sign in</title>", content_type="text/html"), "RETRY", "web page"),
        (answer(401, error("AuthorizationFailure", "Access denied.")), "RENEW", "access token"),
        (answer(401), "RENEW", "access token"),
        (
            answer(401, error("AuthorizationFailure", "No active subscription found")),
            "FAIL",
            "no active Sage subscription",
        ),
        (answer(401, {"$diagnoses": error("X", "There is no active subscription")}), "FAIL", "subscription"),
        (answer(403, error("MultiUserAccessDenied", "no")), "FAIL", "may not see"),
        (answer(404), "FAIL", "no such record"),
        (answer(405), "FAIL", "does not support this"),
        (answer(415), "FAIL", "accepts only JSON"),
        (answer(422, error("Validation", "is required", "contact[name]")), "FAIL", "refused the record"),
        (answer(418), "FAIL", "418"),
        (answer(429), "RETRY", "limit of requests"),
        (answer(500, error("UnexpectedError", "oops")), "RETRY", "500"),
        (answer(500, url=WHOLE), "SHRINK", "whole records"),
        (answer(502, url=WHOLE), "SHRINK", "whole records"),
        (answer(504, url=PAGE + "name&nested_attributes=all"), "SHRINK", "whole records"),
        (answer(503, url=WHOLE), "RETRY", "503"),
        (answer(500, url=WHOLE.replace("items_per_page", "page")), "RETRY", "500"),
        (answer(525), "RETRY", "525"),
    ],
)
def test_verdicts(response, action, reason):
    verdict = judge(response)
    assert verdict.action.name == action
    assert reason in verdict.reason


def test_every_mistake_is_told():
    mistakes = error("Validation", "is required", "contact[name]") + error("Validation", "is no date", "date")
    assert judge(answer(422, mistakes)).provider_message == (
        "Validation: contact[name]: is required; Validation: date: is no date"
    )


@pytest.mark.parametrize("body", [b"", b"{", b"3", b'"text"', b"[1]", b"{}", b'{"$diagnoses": 3}'])
def test_bodies_of_any_kind(body):
    assert judge(answer(422, body)) == judge(answer(422))


def test_both_forms_of_retry_after():
    assert judge(answer(429, Retry_After="7")).retry_after == 7
    dates = {"Retry_After": "Wed, 01 May 2024 12:00:09 GMT", "Date": "Wed, 01 May 2024 12:00:00 GMT"}
    assert judge(answer(429, **dates)).retry_after == 9
    assert judge(answer(429)) == judge(answer(429))
    assert judge(answer(429)).action is Action.RETRY


@pytest.mark.parametrize(
    ("status", "body", "dead"),
    [
        (400, {"error": "invalid_grant"}, True),
        (400, {"error": "invalid_client"}, True),
        (400, {"error": "unauthorized_client"}, True),
        (401, {"error": "invalid_client"}, True),
        (401, {}, True),
        (400, {"error": "invalid_request"}, False),
        (400, {"error": "unsupported_grant_type"}, False),
        (400, {}, False),
        (400, b"<html>", False),
        (400, [], False),
        (429, {"error": "invalid_grant"}, False),
        (500, {"error": "invalid_grant"}, False),
    ],
)
def test_which_refusals_need_a_person(status, body, dead):
    assert is_dead(answer(status, body)) is dead
