from __future__ import annotations

import base64
import contextlib
import copy
import io
import json
import logging
import pickle
import subprocess
import sys
import threading
import time
import traceback
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectory import secrets
from connectory.errors import ConfigurationError, StoreError
from connectory.secrets import KeyRing, RedactingFilter, Redactor, Secret, install_redaction, reveal

# Secret


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>40}".format, lambda s: f"{s!r}", lambda s: f"{[s]}"])
def test_a_secret_does_not_print(show):
    assert "hunter22" not in show(Secret("hunter22"))
    assert "********" in show(Secret("hunter22"))


def test_a_secret_is_revealed_on_request_only():
    assert Secret("hunter22").reveal() == "hunter22"
    assert [reveal(value) for value in (Secret("a"), "b", None)] == ["a", "b", ""]
    assert not hasattr(Secret("hunter22"), "__dict__")


def test_secrets_compare_with_secrets():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert {Secret("a"): 1}[Secret("a")] == 1
    assert Secret("\ud800") != Secret("a")
    assert (bool(Secret("")), bool(Secret("a"))) == (False, True)


def test_a_secret_is_not_pickled_and_not_encoded_by_accident():
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps({"token": Secret("hunter22")})
    with pytest.raises(TypeError):
        json.dumps(Secret("hunter22"))


def test_a_secret_is_copied_as_itself():
    secret = Secret("hunter22")
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_a_traceback_with_its_locals_shows_nothing():
    secret = Secret("hunter22")
    try:
        raise ValueError(f"wrong: {secret}")
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "********" in shown
    assert "hunter22" not in shown.replace('Secret("hunter22")', "")


# Encryption at rest

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture
def ring():
    return KeyRing({"k1": NEW})


@given(st.text(), st.text())
def test_what_was_encrypted_comes_back(plain, bound_to):
    ring = KeyRing({"k1": NEW})
    assert ring.decrypt(ring.encrypt(plain, bound_to=bound_to), bound_to=bound_to).reveal() == plain


def test_the_format(ring):
    version, key_id, nonce, sealed = ring.encrypt("hunter22", bound_to="1:x").split(".")
    assert (version, key_id) == ("v1", "k1")
    assert len(base64.urlsafe_b64decode(nonce)) == 12
    assert len(base64.urlsafe_b64decode(sealed + "==")) == len("hunter22") + 16
    assert "hunter22" not in sealed
    assert ring.encrypt("hunter22", bound_to="1:x") != ring.encrypt("hunter22", bound_to="1:x")


def test_a_value_cannot_be_moved_to_another_row(ring):
    with pytest.raises(StoreError, match=r"^2:access_token: .*changed or moved"):
        ring.decrypt(ring.encrypt("x", bound_to="1:access_token"), bound_to="2:access_token")


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value[:-4],
        lambda value: value[:-1] + ("A" if value[-1] != "A" else "Q"),
        lambda value: value.replace("v1.", "v2."),
        lambda value: value.replace(".", ":"),
        lambda value: value + ".x",
        lambda value: "v1.k1.é.é",
        lambda value: "v1.k1..",
        lambda value: "",
    ],
)
def test_a_damaged_value_is_noticed(ring, damage):
    value = ring.encrypt("a longer text, so that no bit of it is padding!", bound_to="1:x")
    with pytest.raises(StoreError, match=r"^1:x: "):
        ring.decrypt(damage(value), bound_to="1:x")


def test_keys_change_one_after_another():
    value = KeyRing({"old": OLD}).encrypt("x", bound_to="1:x")
    both = KeyRing({"new": NEW, "old": OLD})
    assert both.decrypt(value, bound_to="1:x").reveal() == "x"
    renewed = both.encrypt("x", bound_to="1:x")
    assert [both.is_current(value), both.is_current(renewed)] == [False, True]
    assert KeyRing({"new": NEW}).decrypt(renewed, bound_to="1:x").reveal() == "x"
    with pytest.raises(StoreError, match=r"the key 'old' .* is missing \(add it to CONNECTORY_KEYS"):
        KeyRing({"new": NEW}).decrypt(value, bound_to="1:x")


def test_another_key_with_the_same_id_opens_nothing():
    value = KeyRing({"k1": OLD}).encrypt("x", bound_to="1:x")
    with pytest.raises(StoreError, match="wrong key"):
        KeyRing({"k1": NEW}).decrypt(value, bound_to="1:x")


def entry(key_id, key):
    return f"{key_id}:{base64.b64encode(key).decode()}"


def test_keys_from_the_environment_leave_the_folder_alone(tmp_path):
    ring = KeyRing.load(tmp_path, {"CONNECTORY_KEYS": f" {entry('new', NEW)}, {entry('old', OLD)},"})
    assert ring.encrypt("x", bound_to="").startswith("v1.new.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k1",
        "k1:!",
        entry("k1", b"short"),
        entry("k.1", NEW),
        entry("", NEW),
        f"{entry('a', NEW)};{entry('b', NEW)}",
    ],
)
def test_keys_that_are_none(tmp_path, text):
    with pytest.raises(ConfigurationError, match="CONNECTORY_KEYS") as caught:
        KeyRing.load(tmp_path, {"CONNECTORY_KEYS": text})
    assert base64.b64encode(NEW).decode() not in str(caught.value)


def test_a_first_key_is_made_once(tmp_path):
    home = tmp_path / "not" / "there"
    value = KeyRing.load(home, {}).encrypt("x", bound_to="1:x")
    assert KeyRing.load(home, {}).decrypt(value, bound_to="1:x").reveal() == "x"
    assert [path.name for path in home.iterdir()] == ["keys"]
    assert (home / "keys").stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_end_with_the_same_key(tmp_path):
    code = """if True:
        import pathlib, sys
        from connectory.secrets import KeyRing
        print("ready", flush=True)
        sys.stdin.readline()
        print(KeyRing.load(pathlib.Path(sys.argv[1]), {}).encrypt("x", bound_to="1:x"))
    """
    command = [sys.executable, "-c", code, tmp_path]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    others = [subprocess.Popen(command, **pipes) for _ in range(4)]
    assert {other.stdout.readline() for other in others} == {"ready\n"}
    for other in others:
        other.stdin.write("\n")
        other.stdin.flush()
    values = [other.communicate(timeout=30)[0].strip() for other in others]
    ring = KeyRing.load(tmp_path, {})
    assert {ring.decrypt(value, bound_to="1:x").reveal() for value in values} == {"x"}
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be read or written.*CONNECTORY_KEYS"):
        KeyRing.load(tmp_path / "file", {})


def test_nothing_heavy_is_loaded_before_it_is_needed():
    code = "import sys, connectory.secrets; print({'cryptography', 'requests', 'sqlalchemy'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


# Redaction

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


# Logs


@pytest.fixture
def logged(monkeypatch):
    """What a handler writes, with redaction installed and `hunter22` learnt; the logging of others is put back."""
    redactor, stream = Redactor(), io.StringIO()
    redactor.learn("hunter22")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root, factory = logging.getLogger(), logging.getLogRecordFactory()
    level, handlers = root.level, root.handlers[:]
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    logging.setLogRecordFactory(logging.LogRecord)
    install_redaction(redactor=redactor)
    yield stream
    logging.setLogRecordFactory(factory)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_messages_of_any_logger_are_scrubbed(logged):
    logging.getLogger("third.party").debug("token %s and %r", "hunter22", {"password": "other"})
    assert logged.getvalue() == "third.party token ******** and {'password': '********'}\n"


def test_a_logger_that_keeps_to_its_own_handler_is_scrubbed_too(logged):
    stream, logger = io.StringIO(), logging.getLogger("loner")
    logger.propagate = False
    logger.addHandler(logging.StreamHandler(stream))
    logger.warning("hunter22")
    logger.handlers.clear()
    assert stream.getvalue() == "********\n"


def test_a_handler_that_comes_later_is_covered(logged):
    stream = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(stream))
    logging.getLogger("x").warning("hunter22")
    assert stream.getvalue() == "********\n"


def test_tracebacks_are_scrubbed(logged):
    try:
        try:
            raise KeyError("hunter22")
        except KeyError as error:
            raise ValueError("it was hunter22") from error
    except ValueError:
        logging.getLogger("x").exception("failed", stack_info=True)
    assert "it was ********" in logged.getvalue()
    assert "KeyError: '********'" in logged.getvalue()
    assert "hunter22" not in logged.getvalue().replace('"hunter22"', "").replace("was hunter22", "")


def test_extra_fields_are_scrubbed(logged):
    logging.getLogger().handlers[0].setFormatter(logging.Formatter("%(message)s %(url)s %(config)s"))
    logging.getLogger("x").info("sent", extra={"url": "hunter22", "config": {"a": ["hunter22", 1, ()]}})
    assert logged.getvalue() == "sent ******** {'a': ['********', 1, ()]}\n"


def test_a_wrong_format_string_ends_nothing(logged):
    logging.getLogger("x").info("%d %d", "hunter22")  # noqa: PLE1206 - that is the point
    assert logged.getvalue() == "x %d %d ('********',)\n"


@pytest.mark.parametrize("name", ["requests_oauthlib.oauth2_session", "oauthlib.oauth2.rfc6749"])
def test_the_chatter_of_the_oauth_libraries_is_dropped(logged, name):
    """At DEBUG it holds tokens and secrets that nobody has learnt yet."""
    stream, logger = io.StringIO(), logging.getLogger(name)
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    logger.debug("Obtained token %s.", {"x": "fresh from the wire"})
    logger.warning("Something is wrong")
    logger.removeHandler(handler)
    assert logged.getvalue() == f"{name} Something is wrong\n"
    assert "fresh" not in stream.getvalue()


def test_redaction_is_installed_once(logged):
    factory = logging.getLogRecordFactory()
    install_redaction()
    assert logging.getLogRecordFactory() is factory
    assert [type(known) for known in logging.getLogger().handlers[0].filters] == [RedactingFilter]


def test_exceptions_that_nobody_catches_are_scrubbed(logged, capsys):
    thread = threading.Thread(target=lambda: int("hunter" + "22"))
    thread.start()
    thread.join()
    assert "invalid literal for int() with base 10: '********'" in capsys.readouterr().err


def test_one_redactor_serves_the_process():
    assert isinstance(secrets.redactor, Redactor)
