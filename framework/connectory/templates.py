"""Poll URLs: the `${...}` templates in them, and the path and parameters they become.

The order of the steps matters, because patterns contain quotes and dates contain `+`. First the templates are filled in
on the raw text, then `split_poll_url` splits the result, and then the `where` is parsed. The HTTP client encodes last.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from .dates import EPOCH, DateCodec, compile_pattern, parse_timezone
from .errors import DatePatternError, TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIZE_LIMIT = 16 * 1024
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH_UNITS = {"s": timedelta(seconds=1), "ms": _MILLISECOND, "us": timedelta(microseconds=1)}
_DESCRIPTORS = {name.lower(): name for name in ("gmtDate", "date", "dateTimeZone", "epoch", "milliseconds")}
_KNOWN = (
    "${gmtDate:PATTERN}, ${date:PATTERN}, ${dateTimeZone:ZONE:PATTERN}, ${epoch}, ${epoch:s}, ${epoch:us}, "
    "${milliseconds}"
)
_ZONE = re.compile(r"\s*((?:GMT|UTC)?[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]\w*(?:[/+-]\w+)*)\s*:", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One `${...}` of a template. Without a codec it is the number of `unit`s since 1970.

    `in_server_zone` is true for `${date:...}`, whose zone is that of the provider.
    """

    descriptor: str
    position: int
    end: int
    unit: timedelta
    codec: DateCodec | None = None
    in_server_zone: bool = False

    def fill(self, template: str, since: datetime, server_timezone: tzinfo) -> FilledSlot:
        """The slot with the value for one moment, which is cut to the slot's unit."""
        codec = self.codec
        if codec is None:
            count = (since - EPOCH) // self.unit
            return self._filled(template, str(count), EPOCH + count * self.unit, None)
        if self.in_server_zone:
            codec = compile_pattern(codec.pattern, server_timezone)
        value = codec.format(since)
        return self._filled(template, value, codec.parse(value), codec.timezone)

    def unknown(self, template: str) -> FilledSlot:
        """The slot in a URL that somebody else has filled in."""
        return self._filled(template, None, None, self.codec.timezone if self.codec else None)

    def _filled(self, template: str, value: str | None, moment: datetime | None, zone: tzinfo | None) -> FilledSlot:
        text = template[self.position : self.end]
        return FilledSlot(text=text, value=value, moment=moment, unit=self.unit, zone=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledSlot:
    """One `${...}` of a rendered URL. `value` is what stands in its place, and `moment` what that value means.

    Both are None if the plugin rendered the URL as plain text: then the values are not known.
    """

    text: str
    value: str | None
    moment: datetime | None
    unit: timedelta
    zone: tzinfo | None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A poll URL for one window: its text, and what each slot of the template was filled with.

    >>> rendered = parse_template("/hubs/crm/leads?since=${epoch:s}").fill(datetime(2026, 1, 1, tzinfo=UTC))
    >>> rendered.text, rendered.slots[0].value
    ('/hubs/crm/leads?since=1767225600', '1767225600')
    """

    text: str
    slots: tuple[FilledSlot, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A poll URL with date slots. A slot begins at its `position` in the text and ends before its `end`."""

    text: str
    slots: tuple[Slot, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings for the person who wrote the URL, without repetitions."""
        found = [warning for slot in self.slots if slot.codec for warning in slot.codec.warnings]
        return tuple(dict.fromkeys(found))

    @property
    def unit(self) -> timedelta:
        """The coarsest unit of all slots; zero for a template without slots."""
        return max((slot.unit for slot in self.slots), default=timedelta(0))

    def render(self, since: datetime, *, server_timezone: tzinfo = UTC) -> str:
        """The text alone of what `fill` gives."""
        return self.fill(since, server_timezone=server_timezone).text

    def fill(self, since: datetime, *, server_timezone: tzinfo = UTC) -> Rendered:
        """The raw URL for one aware moment, and its slots. Dates are cut to their unit, never rounded up.

        `server_timezone` is the zone of `${date:...}`.
        """
        if since.tzinfo is None:
            raise ValueError(f"{since.isoformat()} has no time zone")
        filled = tuple(slot.fill(self.text, since, server_timezone) for slot in self.slots)
        pieces, done = [], 0
        for slot, found in zip(self.slots, filled, strict=True):
            pieces += [self.text[done : slot.position], str(found.value)]
            done = slot.end
        return Rendered("".join([*pieces, self.text[done:]]), filled)

    def unknown(self, text: str) -> Rendered:
        """A text that somebody else rendered: its slots are those of the template, with unknown values."""
        return Rendered(text, tuple(slot.unknown(self.text) for slot in self.slots))


@dataclass(frozen=True, slots=True)
class PollURL:
    """The parts of a rendered poll URL. `params` are decoded, in the order of the URL; a name may occur twice."""

    path: str
    params: tuple[tuple[str, str], ...]


def parse_template(text: str) -> Template:
    """Read a poll URL. A `TemplateError` points at the wrong character and says what may stand there."""
    return _parse(text)


@lru_cache(maxsize=512)
def _parse(text: str) -> Template:
    if len(text) > _SIZE_LIMIT:
        raise TemplateError(f"the URL is longer than {_SIZE_LIMIT} characters", text=text, position=_SIZE_LIMIT)
    return Template(text, tuple(_slots(text)))


def _slots(text: str) -> Iterator[Slot]:
    position = text.find("${")
    while position >= 0:
        end = _end_of_slot(text, position)
        yield _SlotText(text, position, end).slot()
        position = text.find("${", end)


def _end_of_slot(text: str, position: int) -> int:
    limit = text.find("${", position + 2)
    closings = [match.start() for match in re.finditer("}", text[:limit] if limit >= 0 else text)]
    closings = [closing for closing in closings if closing > position]
    if not closings:
        raise TemplateError("this ${ is never closed", text=text, position=position, hint="end the template with }")
    # A } may be part of quoted text, so take the first } that leaves an even number of quotes before it. If there is
    # none, a quote is missing: take the first } and let the codec decide whether it can read the pattern.
    paired = (closing for closing in closings if text.count("'", position, closing) % 2 == 0)
    return next(paired, closings[0]) + 1


class _SlotText:
    """Reads the text of one slot from left to right, and remembers the position for error messages."""

    def __init__(self, text: str, position: int, end: int) -> None:
        self.text = text
        self.position = position
        self.end = end
        self.body = text[position + 2 : end - 1]
        self.word = self.body.partition(":")[0]
        self.argument = self.body[len(self.word) + 1 :] if ":" in self.body else None
        self.argument_position = position + 2 + len(self.word) + 1

    def slot(self) -> Slot:
        descriptor = _DESCRIPTORS.get(self.word.strip().lower())
        if descriptor is None:
            raise self._unknown()
        if descriptor == "dateTimeZone":
            return self._zoned(descriptor)
        if descriptor in ("epoch", "milliseconds"):
            return self._count(descriptor)
        if self.argument is None:
            return self._made(descriptor, unit=_MILLISECOND)
        codec = self._codec(descriptor, self.argument, self.argument_position, UTC)
        return self._made(descriptor, unit=codec.unit, codec=codec, in_server_zone=descriptor == "date")

    def _made(
        self, descriptor: str, *, unit: timedelta, codec: DateCodec | None = None, in_server_zone: bool = False
    ) -> Slot:
        return Slot(
            descriptor=descriptor,
            position=self.position,
            end=self.end,
            unit=unit,
            codec=codec,
            in_server_zone=in_server_zone,
        )

    def _count(self, descriptor: str) -> Slot:
        if self.argument is None:
            return self._made(descriptor, unit=_MILLISECOND)
        unit = _EPOCH_UNITS.get(self.argument.strip().lower()) if descriptor == "epoch" else None
        if unit is None:
            raise self._mistake(
                f"{self.argument.strip()[:40]!r} is not a unit of ${{{descriptor}}}",
                self.argument_position,
                "write ${epoch:s}, ${epoch:ms} or ${epoch:us}",
            )
        return self._made(descriptor, unit=unit)

    def _zoned(self, descriptor: str) -> Slot:
        match = _ZONE.match(self.argument or "")
        if match is None:
            raise self._mistake(
                f"${{{descriptor}}} needs a time zone and a pattern",
                min(self.argument_position, self.end - 1),
                "write e.g. ${dateTimeZone:America/Denver:yyyy-MM-dd HH:mm:ss}; -07:00 is a zone as well",
            )
        position = self.argument_position + match.start(1)
        try:
            parse_timezone(match[1])
        except DatePatternError as error:
            raise self._wrapped(descriptor, error, position) from error
        pattern = match.string[match.end() :]
        codec = self._codec(descriptor, pattern, self.argument_position + match.end(), match[1])
        return self._made(descriptor, unit=codec.unit, codec=codec)

    def _codec(self, descriptor: str, pattern: str, position: int, zone: str | tzinfo) -> DateCodec:
        try:
            return compile_pattern(pattern, zone)
        except DatePatternError as error:
            raise self._wrapped(descriptor, error, position) from error

    def _wrapped(self, descriptor: str, error: DatePatternError, position: int) -> TemplateError:
        return self._mistake(f"${{{descriptor}}}: {error.message}", position + error.position, error.hint)

    def _unknown(self) -> TemplateError:
        word = self.word.strip()[:40]
        nearest = difflib.get_close_matches(word.lower(), _DESCRIPTORS, n=1)
        guess = f"did you mean {_DESCRIPTORS[nearest[0]]}? " if nearest else ""
        return self._mistake(
            f"unknown template descriptor {word!r}", self.position + 2, f"{guess}The descriptors are {_KNOWN}"
        )

    def _mistake(self, message: str, position: int, hint: str | None) -> TemplateError:
        return TemplateError(message, text=self.text, position=position, hint=hint)


# --- the rendered URL -------------------------------------------------------------------------------------------

_ABSOLUTE = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:|//)")

# An & inside a quoted literal belongs to the literal. An unclosed quote does not start a literal.
_LITERAL = r"'(?:[^'\\]|\\.)*'"
_CLOSED = re.compile(rf"(?:[^']|{_LITERAL})*", re.DOTALL)
_LITERAL_OR_CUT = re.compile(rf"{_LITERAL}|(?P<cut>&)", re.DOTALL)
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def split_poll_url(rendered: str) -> PollURL:
    """The path and the decoded parameters of a rendered poll URL.

    `%XX` is decoded if it is valid UTF-8. A `+` stays a plus, because it is the sign of an offset. To keep a `%` before
    two hexadecimal digits, write `%25`. An absolute URL raises a `TemplateError`.
    """
    if _ABSOLUTE.match(rendered):
        raise TemplateError(
            "a poll URL must not have a scheme or a host: the instance adds them",
            text=rendered,
            position=0,
            hint="write a path such as /hubs/helpdesk/incidents?where=...",
        )
    path, _, query = rendered.strip().partition("?")
    return PollURL(path, tuple(_parameter(piece) for piece in _pieces(query) if piece.strip()))


def _pieces(query: str) -> Iterator[str]:
    closed = _CLOSED.match(query)
    end = closed.end() if closed else 0
    cuts = [match.start() for match in _LITERAL_OR_CUT.finditer(query, 0, end) if match["cut"]]
    cuts += [match.start() for match in re.finditer("&", query) if match.start() >= end]
    for start, stop in pairwise([-1, *cuts, len(query)]):
        yield query[start + 1 : stop]


def _parameter(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return _decoded(name).strip(), _decoded(value)


def _decoded(text: str) -> str:
    return _ESCAPES.sub(_decoded_run, text)


def _decoded_run(match: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(match[0]).decode()
    except UnicodeDecodeError:
        return match[0]
