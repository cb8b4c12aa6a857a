"""Secrets: a type that does not print, encryption at rest, and redaction of what is logged."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import logging
import os
import re
import secrets as random
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote, quote_plus

from .errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

MASK = "********"
KEYS_VARIABLE = "CONNECTORY_KEYS"
KEYS_FILE = "keys"

_VERSION = "v1"
_KEY_BYTES = 32
_NONCE_BYTES = 12
# Shorter values would blank out ordinary words.
_LEAST_REDACTED = 6


class Secret:
    """Text that shows itself only through `reveal()`; it prints as asterisks and compares in constant time.

    >>> key = Secret("s3cr3t")
    >>> f"{key}", key, key.reveal(), key == Secret("s3cr3t"), bool(Secret(""))
    ('********', Secret('********'), 's3cr3t', True, False)
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_encoded(self._value), _encoded(other._value))

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: it would be written in clear")


def reveal(value: Secret | str | None) -> str:
    """The text of a secret, or of a plain value that stands where one may stand; `""` for None."""
    return value.reveal() if isinstance(value, Secret) else value or ""


def _encoded(text: str) -> bytes:
    # JSON can smuggle in half a surrogate pair, which plain UTF-8 refuses.
    return text.encode("utf-8", "surrogatepass")


# Encryption at rest


class KeyRing:
    """AES-256-GCM with named keys: the first encrypts, all decrypt, so that keys can be changed one after another.

    A ciphertext reads `v1.<key id>.<nonce>.<ciphertext>` and is bound to the row it was made for.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ConfigurationError("there is no encryption key", where=KEYS_VARIABLE)
        for key_id, key in keys.items():
            if len(key) != _KEY_BYTES:
                raise ConfigurationError(
                    f"the key {key_id!r} has {len(key)} bytes, expected {_KEY_BYTES}", where=KEYS_VARIABLE
                )
        self._keys = dict(keys)
        self._current = next(iter(keys))

    @classmethod
    def load(cls, home: Path, environ: Mapping[str, str] = os.environ) -> KeyRing:
        """The keys of `CONNECTORY_KEYS` (`id:base64,id:base64`), else of `<home>/keys`, made at the first use."""
        text = environ.get(KEYS_VARIABLE)
        where = KEYS_VARIABLE
        if text is None:
            path = home / KEYS_FILE
            text, where = _read_or_make(path), str(path)
        return cls(_parse_keys(text, where))

    def encrypt(self, plain: str, *, bound_to: str) -> str:
        nonce = random.token_bytes(_NONCE_BYTES)
        sealed = self._cipher(self._current).encrypt(nonce, _encoded(plain), _encoded(bound_to))
        return ".".join((_VERSION, self._current, _to_text(nonce), _to_text(sealed)))

    def decrypt(self, value: str, *, bound_to: str) -> Secret:
        """The plain text; `StoreError` where the key is missing or the value was changed or moved."""
        from cryptography.exceptions import InvalidTag

        key_id, nonce, sealed = _parts_of(value, bound_to)
        if key_id not in self._keys:
            raise StoreError(
                f"the key {key_id!r} that encrypted it is missing", where=bound_to, hint=f"add it to {KEYS_VARIABLE}"
            )
        try:
            plain = self._cipher(key_id).decrypt(_to_bytes(nonce), _to_bytes(sealed), _encoded(bound_to))
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                "an encrypted value cannot be decrypted: wrong key, or it was changed or moved",
                where=bound_to,
                hint=f"check {KEYS_VARIABLE}, or restore the keys that belong to this store",
            ) from error
        return Secret(plain.decode("utf-8", "surrogatepass"))

    def is_current(self, value: str) -> bool:
        """Whether the first key encrypted it; others are to be encrypted again before their key is taken away."""
        return value.startswith(f"{_VERSION}.{self._current}.")

    def _cipher(self, key_id: str) -> Any:
        # Not at the top: it costs a command that needs no secrets 20 ms.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._keys[key_id])


def _parts_of(value: str, bound_to: str) -> tuple[str, str, str]:
    version, *parts = value.split(".")
    if version != _VERSION or len(parts) != 3:
        raise StoreError("an encrypted value is damaged", where=bound_to, hint="restore it from a backup")
    return parts[0], parts[1], parts[2]


def _parse_keys(text: str, where: str) -> dict[str, bytes]:
    keys = {}
    for entry in re.split(r"[,\n]", text):
        if not entry.strip():
            continue
        key_id, colon, value = entry.strip().partition(":")
        try:
            keys[key_id] = base64.b64decode(value, validate=True)
        except ValueError:
            colon = ""
        if not colon or not re.fullmatch(r"[A-Za-z0-9_-]+", key_id):
            raise ConfigurationError("expected `id:base64` entries of 32 bytes each", where=where)
    return keys


def _read_or_make(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        return path.read_text()
    except OSError as error:
        raise StoreError(
            f"the encryption keys cannot be read or written: {error.strerror}",
            where=str(path),
            hint=f"check the folder's permissions, or set {KEYS_VARIABLE}",
        ) from error


def _make(path: Path) -> None:
    """Write a first key, whole and on the disk before it can be seen: what it encrypts is lost without it.

    A link is made by one only, so that two processes which come here at once end with the same key.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{random.token_hex(8)}")
    key = base64.b64encode(random.token_bytes(_KEY_BYTES)).decode()
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"k{random.token_hex(3)}:{key}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _to_text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# Redaction

_NAMED = re.compile(
    r"""(?ixs)
    (?P<name>
      (?<! [\w.-] )
      (?: [\w.-]* (?: token | secret | passw(?:or)?d )
        | [\w.-]* (?: api | access | private | subscription | signature ) [._-]? key
        | code_verifier | (?: client_ )? assertion | (?: set- )? cookie )
      (?: \\? ["'] )? \s* (?: = | : | %3D | , \s* (?= b? ["'] ) ) \s*
    )
    (?: b? (?P<quote> \\? ["'] ) .*? (?: (?<! \\ ) (?P=quote) | $ ) | [^\s&,;"'<>(){}\[\]\\]+ )
    """
)
_AUTHORIZATION = re.compile(
    r"""(?ix) ( \b (?: proxy- )? authorization \\? ["']? \s* [:=,] \s* (?: b (?= ["'] ) )? \\? ["']? ) [^"'\r\n\\]+ """
)
_SCHEME = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}")
_CODE = re.compile(r"(?i)([?&]code=)[^&\s\"'<>]+")
_USERINFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@")


class Redactor:
    """Blanks out secrets in text: the values it was told of, and what stands behind a telling name.

    Values are found by their first characters, so that the cost of a log line does not grow with their number. The
    oldest are forgotten: a token that was renewed long ago opens nothing.
    """

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._learnt: dict[str, None] = {}
        # First characters -> lengths, longest first -> the values.
        self._index: dict[str, dict[int, set[str]]] = {}

    def learn(self, *values: Secret | str | None) -> None:
        for value in values:
            for form in _forms(reveal(value)):
                if form not in self._learnt:
                    with self._lock:
                        self._add(form)

    def scrub(self, text: str) -> str:
        text = self._scrub_values(text)
        text = _AUTHORIZATION.sub(rf"\1{MASK}", text)
        text = _SCHEME.sub(rf"\1\2{MASK}", text)
        text = _CODE.sub(rf"\1{MASK}", text)
        text = _USERINFO.sub(rf"\1{MASK}@", text)
        # Last: what remains of a value after the first step must not be joined by what the others leave.
        return self._scrub_values(_NAMED.sub(_mask, text))

    def _add(self, value: str) -> None:
        self._learnt[value] = None
        start, length = value[:_LEAST_REDACTED], len(value)
        lengths = self._index.get(start, {})
        if length not in lengths:
            # A new dictionary, because somebody may be going through the old one.
            self._index[start] = lengths = dict(sorted({**lengths, length: set()}.items(), reverse=True))
        lengths[length].add(value)
        if len(self._learnt) > self._most:
            self._forget(next(iter(self._learnt)))

    def _forget(self, value: str) -> None:
        del self._learnt[value]
        start = value[:_LEAST_REDACTED]
        self._index[start][len(value)].discard(value)
        if not any(self._index[start].values()):
            del self._index[start]

    def _scrub_values(self, text: str) -> str:
        # Again and again: what is left and the mask may form another value. Each round has fewer foreign characters.
        while (scrubbed := self._scrub_once(text)) != text:
            text = scrubbed
        return text

    def _scrub_once(self, text: str) -> str:
        index, done, position = self._index, 0, 0
        parts: list[str] = []
        last = len(text) - _LEAST_REDACTED
        while position <= last:
            lengths = index.get(text[position : position + _LEAST_REDACTED])
            length = lengths and next((n for n, known in lengths.items() if text[position : position + n] in known), 0)
            if not length:
                position += 1
                continue
            parts += text[done:position], MASK
            done = position = position + length
        return "".join((*parts, text[done:])) if parts else text


def _forms(value: str) -> Iterator[str]:
    """A value as it may stand in text: as it is, in a URL, in a form, in JSON, in a repr."""
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    with contextlib.suppress(UnicodeEncodeError):
        forms |= {quote(value), quote(value, safe=""), quote_plus(value)}
    return (form for form in forms if len(form) >= _LEAST_REDACTED and form.strip("*"))


def _mask(match: re.Match[str]) -> str:
    quote = match["quote"] or ""
    return f"{match['name']}{quote}{MASK}{quote}"


class RedactingFilter(logging.Filter):
    """Scrubs records before they are written, tracebacks included, and drops the OAuth library's own chatter.

    At DEBUG requests-oauthlib logs tokens and the client secret as they are.
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
            # The text stays, the exception goes: a formatter of somebody's own would write it as it is.
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
    except (TypeError, ValueError):  # as logging does: a wrong format string must not end the program
        return f"{record.msg} {record.args}"


# What all of one process have in common: every token that passes through is learnt here.
redactor = Redactor()


def install_redaction(handlers: Iterable[logging.Handler] | None = None, redactor: Redactor = redactor) -> None:
    """Let nothing out: every record of every logger is scrubbed when it is made, whatever handlers it meets later.

    The filter on the handlers of the root logger (or on those given) also covers the fields that `extra` adds
    afterwards. Tracebacks of exceptions that nobody catches are scrubbed too.
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
            record.msg, record.args = "(withheld: it may hold tokens)", ()
        self._filter.scrub(record)
        return record


def _thread_excepthook(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        sys.excepthook(args.exc_type, args.exc_value, args.exc_traceback)


def _scrubbed_excepthook(redactor: Redactor) -> Callable[..., None]:
    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write(redactor.scrub("".join(traceback.format_exception(kind, error, trace))))

    return show
