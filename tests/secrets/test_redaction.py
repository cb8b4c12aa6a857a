"""Secrets in text are blanked out, by value and by name."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory.secrets import Redactor, Secret

texts = st.text(min_size=6).filter(lambda text: text.strip("*"))


@given(st.lists(texts, min_size=1, max_size=5), st.data())
def test_no_learnt_secret_is_ever_in_what_is_scrubbed(values, data):
    redactor = Redactor()
    redactor.learn(*values)
    pieces = st.sampled_from(
        [*values, *(value[:3] for value in values), *(value[3:] for value in values), "*", "token="]
    )
    text = "".join(data.draw(st.lists(pieces | st.text())))
    scrubbed = redactor.scrub(text)
    assert not any(value in scrubbed for value in values)


@given(texts)
def test_a_secret_is_found_however_it_is_written(value):
    redactor = Redactor()
    redactor.learn(Secret(value))
    with contextlib.suppress(UnicodeEncodeError):
        assert quote_plus(value) not in redactor.scrub(f"https://x/?a={quote_plus(value)}")
    for written in (json.dumps([value]), json.dumps([value], ensure_ascii=False), repr([value]), str(value)):
        scrubbed = redactor.scrub(written)
        assert value not in scrubbed
        assert json.dumps(value)[1:-1] not in scrubbed
        assert repr(value)[1:-1] not in scrubbed


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("POST /x?access_token=s3cr3t&a=1", "POST /x?access_token=********&a=1"),
        ("grant_type=refresh_token&refresh_token=s3cr3t", "grant_type=refresh_token&refresh_token=********"),
        ("client_id=abc&client_secret=s3cr3t", "client_id=abc&client_secret=********"),
        ("https://me/cb?code=s3cr3t&state=1", "https://me/cb?code=********&state=1"),
        ('{"password": "s3\\"cr3t", "a": 1}', '{"password": "********", "a": 1}'),
        ('{"access_token":"s3cr3t","expires_in":1799}', '{"access_token":"********","expires_in":1799}'),
        ("{'oauth.api.secret': 's3cr3t', 'x': 1}", "{'oauth.api.secret': '********', 'x': 1}"),
        ('{"body": "{\\"password\\": \\"s3cr3t\\"}"}', '{"body": "{\\"password\\": \\"********\\"}"}'),
        ("[('client_secret', 's3cr3t'), ('a', 'b')]", "[('client_secret', '********'), ('a', 'b')]"),
        ("oauth.user.token: s3cr3t", "oauth.user.token: ********"),
        ("Authorization: Bearer s3cr3t", "Authorization: ********"),
        ("{'Authorization': b'Basic czNjcjN0', 'a': 'b'}", "{'Authorization': b'********', 'a': 'b'}"),
        ("authorization: User s3cr3t, Organization s3cr3t\nHost: x", "authorization: ********\nHost: x"),
        ("sent bearer s3cr3tandmore to it", "sent bearer ******** to it"),
        ("X-Api-Key: s3cr3t", "X-Api-Key: ********"),
        ("Set-Cookie: JSESSIONID=s3cr3t; Path=/", "Set-Cookie: ********; Path=/"),
        ("postgresql://ann:s3cr3t@db/x", "postgresql://ann:********@db/x"),
        ('{"password": "s3cr3t', '{"password": "********"'),
        ("elements.signature.key=s3cr3t", "elements.signature.key=********"),
    ],
)
def test_values_behind_telling_names(text, scrubbed):
    assert Redactor().scrub(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "the provider refused the access token",
        "token_type=Bearer&expires_in=1799",
        "GET https://acme.example/api/now/table/incident?sysparm_limit=1000 200",
        "the answer was 401: code=401",
        "12:30:59 poll of incident ended: 3 created",
        "https://acme.example:8443/a@b",
    ],
)
def test_other_text_stays_as_it_is(text):
    redactor = Redactor()
    redactor.learn("a-real-token")
    assert redactor.scrub(text) == text


def test_short_values_would_blank_out_ordinary_words():
    redactor = Redactor()
    redactor.learn("poll", "", None, "********")
    assert redactor.scrub("a poll ********") == "a poll ********"


def test_the_oldest_values_are_forgotten():
    redactor = Redactor(most=3)
    for number in range(10):
        redactor.learn(f"secret{number}", f"secret{number}")
    assert redactor.scrub("secret6 secret7 secret9") == "secret6 ******** ********"
    for number in range(10, 14):
        redactor.learn(f"other-{number}")
    assert "secret" not in redactor._index


def test_the_cost_of_a_line_does_not_grow_with_the_number_of_secrets():
    redactor = Redactor()
    redactor.learn(*(f"eyJhbGciOi{number:060x}" for number in range(20_000)))
    line = "GET https://acme.example/api/now/table/incident eyJhbGciOiJub25l 200 " * 10
    started = time.process_time()
    for _ in range(20):
        redactor.scrub(line)
    assert time.process_time() - started < 1


def test_learning_while_scrubbing():
    redactor, errors = Redactor(), []

    def scrub():
        try:
            for _ in range(300):
                redactor.scrub("secret-1 secret-22 secret-333 " * 3)
        except RuntimeError as error:
            errors.append(error)

    threads = [threading.Thread(target=scrub) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(3000):
        redactor.learn("secret" + "x" * (number % 50) + str(number))
    for thread in threads:
        thread.join()
    assert errors == []
