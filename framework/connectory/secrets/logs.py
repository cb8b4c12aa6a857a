"""Keeps secrets out of what is logged, and out of the tracebacks of uncaught exceptions."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

from .redaction import Redactor, redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType


class RedactingFilter(logging.Filter):
    """Scrubs log records and their tracebacks, and drops what the OAuth libraries log below WARNING.

    At level DEBUG, requests-oauthlib logs tokens and the client secret in clear text.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        if is_oauth_chatter(record):
            return False
        self.scrub(record)
        return True

    def scrub(self, record: logging.LogRecord) -> None:
        record.msg, record.args = _message(record), ()
        if record.exc_info and record.exc_info[0] is not None:
            # Keep the scrubbed text and drop the exception, which another formatter would write unscrubbed.
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
            record.exc_info = None
        for name, value in vars(record).items():
            if name not in _PLACES:
                setattr(record, name, self._scrubbed(value))

    def _scrubbed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redactor.scrub(value)
        if isinstance(value, dict):
            return {name: self._scrubbed(inner) for name, inner in value.items()}
        if isinstance(value, (list, tuple)) and value:
            return [self._scrubbed(inner) for inner in value]
        return value


_PLACES = frozenset({"name", "levelname", "pathname", "filename", "module", "funcName", "threadName", "processName"})


def is_oauth_chatter(record: logging.LogRecord) -> bool:
    return record.levelno < logging.WARNING and record.name.partition(".")[0] in {"requests_oauthlib", "oauthlib"}


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # logging itself does not fail on a wrong format string either
        return f"{record.msg} {record.args}"


def install_redaction(handlers: Iterable[logging.Handler] | None = None, redactor: Redactor = redactor) -> None:
    """Scrub every record of every logger when it is made, and the tracebacks of uncaught exceptions.

    The root logger's handlers, or those given, also get a filter, because `extra` adds fields to a record later.
    """
    for handler in handlers if handlers is not None else logging.getLogger().handlers:
        if not any(isinstance(known, RedactingFilter) for known in handler.filters):
            handler.addFilter(RedactingFilter(redactor))
    if not isinstance(logging.getLogRecordFactory(), _RecordFactory):
        logging.setLogRecordFactory(_RecordFactory(logging.getLogRecordFactory(), redactor))
        sys.excepthook = _scrubbed_excepthook(redactor)
        threading.excepthook = _thread_excepthook


class _RecordFactory:
    def __init__(self, make: Callable[..., logging.LogRecord], redactor: Redactor) -> None:
        self._make = make
        self._filter = RedactingFilter(redactor)

    def __call__(self, *args: Any, **options: Any) -> logging.LogRecord:
        record = self._make(*args, **options)
        if is_oauth_chatter(record):
            record.msg, record.args = "(this message is withheld because it may contain tokens)", ()
        self._filter.scrub(record)
        return record


def _thread_excepthook(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        sys.excepthook(args.exc_type, args.exc_value, args.exc_traceback)


def _scrubbed_excepthook(redactor: Redactor) -> Callable[..., None]:
    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(redactor.scrub("".join(traceback.format_exception(kind, error, trace))))

    return show
