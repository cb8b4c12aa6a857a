from __future__ import annotations

import doctest
import json

import pytest

from connectory import verdicts
from connectory.model import ACCEPT, Action, Response, Verdict
from connectory.verdicts import (
    auth_error,
    error_array,
    error_field,
    judges,
    message_at,
    page_instead_of_json,
    quota,
    statuses,
)


def answer(status: int = 200, body: object = None, content_type: str = "application/json", **headers: str) -> Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers={"Content-Type": content_type, **named}, body=data)


def action(verdict: Verdict | None) -> str | None:
    return None if verdict is None else verdict.action.name


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(200, []), None),
        (answer(200, b"<!DOCTYPE html><title>Log in</title>", "text/html; charset=utf-8"), "RETRY"),
        (answer(200, b"  <html><body>", "text/plain"), "RETRY"),
        (answer(200, b"<html>", "application/json"), None),
        (answer(502, b"<html>", "text/html"), None),
        (answer(204, b"", ""), None),
    ],
)
def test_pages_instead_of_json(response, expected):
    assert action(page_instead_of_json()(response)) == expected


FIELD = error_field("error.code", message="error.text", renew=("expired",), retry=("busy", 7), good=("ok",))


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(200, {"items": []}), None),
        (answer(200, {"error": None}), None),
        (answer(200, {"error": {"code": 0}}), None),
        (answer(200, {"error": {"code": "ok"}}), None),
        (answer(200, []), None),
        (answer(200, b"not json"), None),
        (answer(200, {"error": {"code": "expired"}}), "RENEW"),
        (answer(403, {"error": {"code": "expired"}}), "RENEW"),
        (answer(200, {"error": {"code": "busy"}}), "RETRY"),
        (answer(200, {"error": {"code": 7}}), "RETRY"),
        (answer(200, {"error": {"code": "other"}}), "FAIL"),
        (answer(400, {"error": {"code": "other"}}), "FAIL"),
        (answer(401, {"error": {"code": "other"}}), "RENEW"),
        (answer(503, {"error": {"code": "other"}}), "RETRY"),
    ],
)
def test_an_error_field(response, expected):
    assert action(FIELD(response)) == expected


def test_an_error_field_tells_what_the_provider_said():
    assert FIELD(answer(200, {"error": {"code": "x", "text": "no such field"}})).provider_message == "no such field"
    assert FIELD(answer(200, {"error": {"code": "x"}})).provider_message == "x"


ARRAY = error_array(renew=("TokenExpired",), retry=("Busy",))


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(200, [{"code": "TokenExpired"}]), None),
        (answer(400, {"code": "x"}), None),
        (answer(400, []), None),
        (answer(400, ["text"]), None),
        (answer(400, [{"code": "x"}]), "FAIL"),
        (answer(400, [{"code": "x"}, {"code": "TokenExpired"}]), "RENEW"),
        (answer(400, [{"code": "Busy"}]), "RETRY"),
        (answer(500, [{"code": None}]), "RETRY"),
        (answer(422, b"["), None),
    ],
)
def test_an_error_array(response, expected):
    assert action(ARRAY(response)) == expected


def test_an_error_array_in_a_field_is_found_behind_a_good_status():
    opinion = error_array(path="errors", code="id", message="detail")
    assert opinion(answer(200, {"errors": []})) is None
    assert opinion(answer(200, {"errors": [{"id": "a", "detail": "b"}, {"detail": "c"}]})).provider_message == "a: b; c"


def test_an_auth_error_is_what_the_predicate_says():
    opinion = auth_error(lambda response: b"old token" in response.body)
    assert action(opinion(answer(403, b"old token"))) == "RENEW"
    assert opinion(answer(401, b"")) is None


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"Retry_After": "12"}, 12),
        ({"Retry_After": "Wed, 01 May 2024 10:00:30 GMT", "Date": "Wed, 01 May 2024 10:00:00 GMT"}, 30),
        ({"Retry_After": "Wed, 01 May 2024 09:00:00 GMT", "Date": "Wed, 01 May 2024 10:00:00 GMT"}, 0),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        ({"X_RateLimit_Reset": "40"}, 40),
        ({"X_RateLimit_Reset": "1714557640", "Date": "Wed, 01 May 2024 10:00:00 GMT"}, 40),
        ({"Retry_After": "3", "X_RateLimit_Reset": "40"}, 3),
    ],
)
def test_a_quota_says_when_to_come_back(headers, wait):
    verdict = quota((429, 503))(answer(503, b"", "", **headers))
    assert (verdict.action, verdict.retry_after) == (Action.RETRY, wait)


def test_other_statuses_are_no_quota():
    assert quota()(answer(503)) is None


def test_the_first_opinion_counts_and_the_status_decides_what_none_has_one_about():
    judge = judges(statuses({404: Verdict(action=Action.EMPTY), 402: "not paid"}), auth_error(lambda _r: True))
    assert judge(answer(404)).action is Action.EMPTY
    assert judge(answer(402)).reason == "not paid"
    assert judge(answer(200)).action is Action.RENEW
    assert judges()(answer(200)) is ACCEPT
    assert judges()(answer(418)).action is Action.FAIL
    assert judges(otherwise=lambda _r: Verdict(action=Action.EMPTY))(answer(500)).action is Action.EMPTY


def test_the_message_is_read_where_no_opinion_read_one():
    judge = judges(FIELD, message=message_at("message", "detail"))
    assert judge(answer(500, {"message": "out", "detail": "of paper"})).provider_message == "out: of paper"
    assert judge(answer(500, b"<html>")).provider_message is None
    assert judge(answer(200, {"message": "fine"})) is ACCEPT
    assert judge(answer(200, {"error": {"code": "x"}, "message": "y"})).provider_message == "x"
    assert len(judge(answer(500, {"message": "x" * 5000})).provider_message) == 300


def test_examples_run():
    assert doctest.testmod(verdicts).failed == 0
