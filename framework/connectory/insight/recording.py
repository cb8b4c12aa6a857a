"""The file of recorded polls: JSON lines, compressed with gzip if its name ends in `.gz`.

A `poll` line opens each poll, with everything that the poll knew when it began. An `exchange` line follows for each
request, with the answer and the last announced versions of the records in it. An `end` line proves that no line is
missing. Secrets are scrubbed before anything is written.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any, Self

import msgspec

from ..errors import ConfigurationError, StoreError

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT = 1


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="poll"):
    """What a poll knew when it began. Moments and durations are microseconds."""

    format: int
    versions: dict[str, str | None]
    instance: dict[str, Any]
    resource: str
    configuration: dict[str, Any]
    state: dict[str, Any]
    now: int
    clock_offset: int
    page_size: int


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer. A body that is not text is in `encoded`, as base64."""

    status: int
    headers: dict[str, str]
    url: str = ""
    body: str | None = None
    encoded: str | None = None

    def content(self) -> bytes:
        return base64.b64decode(self.encoded) if self.encoded is not None else (self.body or "").encode()


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request without its headers, which contain the login."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()


class Broken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The error of a request that got no answer."""

    type: str
    message: str
    where: str | None = None
    hint: str | None = None


class Exchange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="exchange"):
    """One request. `known` has the sequence, version and source of known objects, on the first page that shows them."""

    sent_at: int
    received_at: int
    asked: Asked
    answer: Answer | None = None
    broken: Broken | None = None
    known: dict[str, tuple[int, str, str]] = {}


class End(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", tag="end"):
    """The end of a poll. `ignored` has the reason for each object of which only ignored fields changed."""

    exchanges: int
    failure: str | None = None
    ignored: dict[str, str] = {}


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded poll, read from a file."""

    where: str
    header: Header
    exchanges: list[Exchange]
    end: End


def body_of(content: bytes) -> dict[str, str]:
    try:
        return {"body": content.decode()}
    except UnicodeDecodeError:
        return {"encoded": base64.b64encode(content).decode()}


class RecordingFile:
    """Writes a recording line by line. Each line is on the disk before the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = _open(path)
        except OSError as error:
            raise StoreError(f"the recording cannot be written: {error.strerror}", where=str(path)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def write(self, line: Header | Exchange | End) -> None:
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()
        except OSError as error:
            raise StoreError(f"the recording cannot be written: {error.strerror}", where=str(self._path)) from error

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise StoreError(f"the recording cannot be written: {error.strerror}", where=str(self._path)) from error


def _open(path: Path) -> io.BufferedIOBase:
    # The file contains the provider's records, so only the owner of the store may read it.
    path.touch(mode=0o600)
    return gzip.open(path, "wb") if path.suffix == ".gz" else path.open("wb")


def load_recording(path: Path, resource: str | None = None) -> Recording:
    """The poll of a resource; without a resource, the only poll of the file."""
    found = {recording.header.resource: recording for recording in _polls(path)}
    if resource is None and len(found) == 1:
        return next(iter(found.values()))
    if resource in found:
        return found[resource]
    held = f"it has polls of {', '.join(found)}" if found else "the file is empty"
    if resource is None and found:
        raise ConfigurationError("the recording has several polls", where=str(path), hint=f"name a resource; {held}")
    wanted = "no poll" if resource is None else f"no poll of {resource}"
    raise ConfigurationError(f"the recording has {wanted}", where=str(path), hint=held)


def _polls(path: Path) -> Iterator[Recording]:
    header: Header | None = None
    exchanges: list[Exchange] = []
    for line in _lines(path):
        if isinstance(line, Header):
            _check(header is None, path)
            header, exchanges = line, []
        elif isinstance(line, Exchange):
            exchanges.append(line)
        else:
            _check(header is not None and line.exchanges == len(exchanges), path)
            if header is not None:
                yield Recording(where=str(path), header=header, exchanges=exchanges, end=line)
            header = None
    _check(header is None, path)


def _check(whole: bool, path: Path) -> None:
    if not whole:
        raise ConfigurationError(
            "the recording is incomplete: lines of a poll are missing", where=str(path), hint="record the poll again"
        )


def _lines(path: Path) -> Iterator[Header | Exchange | End]:
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                number += 1
                yield _line(line)
    except (msgspec.MsgspecError, EOFError) as error:
        raise ConfigurationError(f"this file is not a recording of polls: {error}", where=f"{path}:{number}") from error
    except OSError as error:
        raise ConfigurationError(f"the recording cannot be read: {error.strerror or error}", where=str(path)) from error


def _line(line: bytes) -> Header | Exchange | End:
    found = _DECODER.decode(line)
    if isinstance(found, Header) and found.format != FORMAT:
        raise msgspec.ValidationError(f"it has format {found.format}, but this version reads format {FORMAT}")
    return found


_DECODER: msgspec.json.Decoder[Header | Exchange | End] = msgspec.json.Decoder(Header | Exchange | End)


def state_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """A poll's state without its lease, which means nothing in a recording."""
    return {**values, "lease_owner": None, "lease_until": None}
