"""Signatures: the platform's published vector, and the reference library as the oracle of the other scheme."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectory.signature import elements_signature, headers_for, standard_secret, verify

NOW = datetime(2026, 3, 1, 12, 0, 0, 400_000, tzinfo=UTC)
BODY = b'{"message":{"events":[]}}'
KEY, OLD = b"MySecretEventSignatureKey", b"TheKeyBeforeIt"


@pytest.mark.parametrize(
    ("key", "body", "expected"),
    [
        # Published by the platform.
        (
            b"MySecretEventSignatureKey",
            b"<INSERT_EVENT_NOTIFICATION_RESPONSE_BODY>",
            "sha256=jHdbRx5EZAsOfTwAPJOGkNUzQMVVdu5VJlxcsk+G6jQ=",
        ),
        # Computed apart from this code.
        (b"MySecretEventSignatureKey", b"{}", "sha256=VCEjNAd+69UFD8GyBJHLTM9UoZnYx6WcvlKNmAG1gbU="),
        (b"abcd1234efgh5678", b"{}", "sha256=LNWsomfuwn8E3vWBL9bcj0QZER7i5h2yFQM4aSaCdas="),
    ],
)
def test_the_platforms_signature(key, body, expected):
    assert elements_signature(key, body) == expected


def test_the_headers_of_a_signed_attempt():
    headers = headers_for([KEY], 162595, NOW, BODY)
    assert headers["Elements-Webhook-Id"] == headers["webhook-id"] == "162595"
    assert headers["Elements-Webhook-Signature"] == elements_signature(KEY, BODY)
    # 2026-03-01T12:00:00Z
    assert headers["webhook-timestamp"] == "1772366400"
    assert headers["webhook-signature"].startswith("v1,")


def test_without_a_key_an_attempt_is_unsigned_but_has_its_id():
    assert headers_for([], 7, NOW, BODY) == {
        "Elements-Webhook-Id": "7",
        "webhook-id": "7",
        "webhook-timestamp": "1772366400",
    }


def test_the_time_is_the_instant_whatever_its_zone():
    elsewhere = NOW.astimezone(tz=datetime.strptime("+0530", "%z").tzinfo)
    assert headers_for([KEY], 7, elsewhere, BODY) == headers_for([KEY], 7, NOW, BODY)


@pytest.mark.parametrize("key", [KEY, "schlüssel ☂".encode(), b"whsec_", b"k"])
def test_a_stock_library_accepts_it(key):
    now = datetime.now(UTC)  # the library reads the real clock
    headers = headers_for([key], 7, now, b'{"a": 1}')
    assert Webhook(standard_secret(key)).verify(b'{"a": 1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(standard_secret(key)).verify(b'{"a": 2}', headers)


def test_while_a_key_is_changed_receivers_with_either_accept_it():
    headers = headers_for([KEY, OLD], 7, datetime.now(UTC), BODY)
    newest, older = headers["webhook-signature"].split(" ")
    assert newest == headers_for([KEY], 7, datetime.now(UTC), BODY)["webhook-signature"]
    assert newest != older
    for key in (KEY, OLD):
        Webhook(standard_secret(key)).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(standard_secret(b"third")).verify(BODY, headers)
    # One header, one signature: the newest key's.
    assert headers["Elements-Webhook-Signature"] == elements_signature(KEY, BODY)


@given(st.binary(max_size=200), st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=3), st.integers(1))
def test_what_was_signed_verifies(body, keys, number):
    assert verify(headers_for(keys, number, NOW, body), body, keys, NOW).verified


def test_a_receiver_may_accept_more_keys_than_one():
    assert verify(headers_for([OLD], 7, NOW, BODY), BODY, [KEY, OLD], NOW).verified
    assert verify(headers_for([KEY, OLD], 7, NOW, BODY), BODY, [KEY], NOW).verified


def test_header_names_may_come_in_any_case():
    headers = {name.upper(): value for name, value in headers_for([KEY], 7, NOW, BODY).items()}
    assert verify(headers, BODY, [KEY], NOW).verified


SIGNED = headers_for([KEY], 7, NOW, BODY)
OTHER_BODY = headers_for([KEY], 7, NOW, BODY + b" ")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"Elements-Webhook-Id": None}, "the header Elements-Webhook-Id is missing"),
        ({"Elements-Webhook-Signature": None}, "the header Elements-Webhook-Signature is missing"),
        ({"webhook-id": ""}, "the header webhook-id is missing"),
        ({"webhook-timestamp": None}, "the header webhook-timestamp is missing"),
        ({"webhook-signature": None}, "the header webhook-signature is missing"),
        ({"Elements-Webhook-Id": "8"}, "Elements-Webhook-Id and webhook-id differ"),
        ({"webhook-timestamp": "yesterday"}, "webhook-timestamp is not a number"),
        ({"webhook-timestamp": "²"}, "webhook-timestamp is not a number"),
        ({"webhook-timestamp": "9" * 5000}, "webhook-timestamp is not a number"),
        ({"webhook-timestamp": "-1"}, "webhook-timestamp is not a number"),
        (
            {"Elements-Webhook-Signature": OTHER_BODY["Elements-Webhook-Signature"]},
            "Elements-Webhook-Signature does not match: the key or the body",
        ),
        ({"webhook-signature": OTHER_BODY["webhook-signature"]}, "webhook-signature does not match"),
        # Signed, but for another time, another id, another version of the scheme.
        ({"webhook-timestamp": "1772366401"}, "webhook-signature does not match"),
        ({"webhook-id": "8", "Elements-Webhook-Id": "8"}, "webhook-signature does not match"),
        ({"webhook-signature": SIGNED["webhook-signature"].replace("v1,", "v2,")}, "webhook-signature does not match"),
        ({"webhook-signature": "ünicode"}, "webhook-signature does not match"),
    ],
)
def test_what_was_tampered_with_is_refused_with_the_check_that_failed(change, reason):
    headers = {name: value for name, value in {**SIGNED, **change}.items() if value is not None}
    verification = verify(headers, BODY, [KEY], NOW)
    assert not verification.verified
    assert verification.reason.startswith(reason)


def test_another_body_or_key_is_refused():
    assert not verify(SIGNED, BODY + b" ", [KEY], NOW).verified
    assert not verify(SIGNED, BODY, [OLD], NOW).verified
    assert verify(SIGNED, BODY, [], NOW).reason == "there is no signature key to check with"


@pytest.mark.parametrize(
    ("seconds", "reason"),
    # Signed at ...00.0, read at ...00.4.
    [(299, ""), (300, "300 s old"), (3600, "3600 s old"), (-300, ""), (-301, "301 s ahead")],
)
def test_old_and_future_notifications_are_refused(seconds, reason):
    verification = verify(SIGNED, BODY, [KEY], NOW + timedelta(seconds=seconds))
    assert verification.verified == (not reason)
    assert reason in verification.reason


def test_the_tolerance_can_be_set():
    late = NOW + timedelta(seconds=20)
    assert verify(SIGNED, BODY, [KEY], late, timedelta(seconds=30)).verified
    assert not verify(SIGNED, BODY, [KEY], late, timedelta(seconds=10)).verified
