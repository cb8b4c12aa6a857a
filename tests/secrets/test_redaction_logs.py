"""Nothing secret is logged."""

from __future__ import annotations

import io
import logging
import sys
import threading

import pytest

from connectory import secrets
from connectory.secrets import RedactingFilter, Redactor, install_redaction


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
