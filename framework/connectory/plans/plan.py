"""Compiles one entry of `event.poller.configuration` into what a poll runs.

Everything that can be wrong with an entry is found here, when the instance is created, and said with the entry's name.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from .. import ceql
from ..clock import duration_micros
from ..errors import ConfigurationError, ConnectoryError
from ..model import DatesConfiguration, Element, PollerEntry, Query, Request, Resource, Window
from ..paging import SinglePage
from ..schemas import POLLER_CONFIGURATION, PollerEntrySchema
from ..templates import parse_template, split_poll_url

if TYPE_CHECKING:
    from ..dates import Codec
    from ..model import Paginator
    from ..plugins import Plugins
    from ..templates import Template

Accessor = Callable[[Any], Any]
"""Reads one field of a decoded row; None where the record has no such field."""

_MINUTE = 60_000_000

# The platform's own words in a poll URL: they are not handed to the provider as they stand.
_OWN_PARAMS = {"where", "pageSize", "page", "nextPage", "fields", "orderBy"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How to poll one resource. `name` is the entry's key, which becomes the events' `objectType`; `begun` is when the
    instance did, microseconds of the provider's time, where that is known.

    `rows` decodes a page's body into its rows: only the fields that the accessors read are built.
    `raws` decodes it into the records' bytes. `place_id` and `place` are the fields that the provider orders by, which
    an entry may not have chosen for its ids and dates.
    """

    name: str
    element: Element
    resource: Resource
    entry: PollerEntry
    plugins: Plugins
    rows: Callable[[bytes], list[Any]]
    raws: Callable[[bytes], list[msgspec.Raw]]
    object_id: Accessor
    updated: Accessor | None
    created: Accessor | None
    version: Accessor | None
    place: Accessor | None
    place_id: Accessor
    updated_codec: Codec | None
    created_codec: Codec | None
    filters: bool
    unit: timedelta
    overlap: timedelta
    warnings: tuple[str, ...]
    is_windowed: bool = True
    """Whether the provider is asked for a span of time; a listing of everything is not."""
    begun: int | None = None
    asked_page_size: int | None = None
    """Records per page as the entry or its URL asks for them."""

    @property
    def id_field(self) -> str:
        return _id_field(self.entry, self.resource)

    @property
    def page_size(self) -> int:
        return self.asked_page_size or self.element.page_size

    @property
    def ambiguity(self) -> int:
        """How much earlier than it is a stamp may be read, microseconds: local clocks show one hour a year twice."""
        zone = getattr(self.updated_codec, "timezone", None)
        return 0 if zone is None or zone.utcoffset(None) is not None else 60 * _MINUTE

    @property
    def paginator(self) -> Paginator:
        return self.resource.paginator or self.element.paginator or SinglePage()

    @property
    def reach(self) -> timedelta:
        """How far before the last poll a window starts."""
        return self.overlap + self.entry.poll_delay

    def floor(self, micros: int) -> int:
        """The earliest stamp that a record changed at this moment can bear: stamps are cut to their unit."""
        unit = 1 if self.updated_codec is None else duration_micros(self.updated_codec.unit)
        cut = micros - micros % max(unit, 1)
        # Days and hours begin at other moments in other zones.
        return cut if unit <= _MINUTE else cut - unit

    def render(self, window: Window) -> str:
        return self.plugins.render_template(self.element, self.resource, self.entry.url, window)

    def request(self, window: Window, page_size: int | None = None) -> tuple[Request, Query]:
        """The request for the first page of a window, before the paginator has its say."""
        url = split_poll_url(self.render(window))
        own = dict(url.params)
        query = Query(
            expression=ceql.parse(own.get("where", "")),
            params=tuple((name, value) for name, value in url.params if name not in _OWN_PARAMS),
            page_size=page_size or self.page_size,
            window=window if self.is_windowed else None,
        )
        translated = self.plugins.translate_query(self.element, self.resource, query)
        # What the URL says replaces what the resource asks for by default.
        named = {name for name, _ in translated}
        defaults = tuple(pair for pair in self.resource.params if pair[0] not in named)
        return Request(path=self.resource.path, params=(*defaults, *translated)), query


def compile_plan(
    name: str, entry: PollerEntry, *, element: Element, resources: Mapping[str, Resource], plugins: Plugins
) -> Plan:
    """Check an entry and make it a plan; every mistake is a `ConfigurationError` that names the entry."""
    try:
        return _compile(name, entry, element, resources, plugins)
    except ConnectoryError as error:
        error.where = f"{POLLER_CONFIGURATION}.{name}" + (f".{error.where}" if error.where else "")
        raise


def _compile(
    name: str, entry: PollerEntry, element: Element, resources: Mapping[str, Resource], plugins: Plugins
) -> Plan:
    resource = _resource_of(entry, element, resources)
    dates = dates_of(entry, resource)
    updated_codec = _codec(plugins, element, dates.updated_format, dates.updated_timezone, "updatedDate")
    created_codec = _codec(plugins, element, dates.created_format, dates.created_timezone, "createdDate")
    paths = {
        "object_id": _path(_id_field(entry, resource), "idField"),
        "updated": _path(dates.updated_field if updated_codec else None, "datesConfiguration.updatedDateField"),
        "created": _path(dates.created_field if created_codec else None, "datesConfiguration.createdDateField"),
        "version": _path(resource.version_field, "versionField"),
        "place": _path(resource.updated_field, "updatedField"),
        "place_id": _path(resource.id_field, "idField"),
    }
    decode_rows, accessors = _row_decoder([path for path in paths.values() if path], resource.records_path)
    template = _template(entry.url)
    plan = Plan(
        name=name,
        element=element,
        resource=resource,
        entry=entry,
        plugins=plugins,
        rows=decode_rows,
        raws=_raw_decoder(resource.records_path),
        object_id=accessors.get(paths["object_id"], _nothing),
        updated=accessors.get(paths["updated"]),
        created=accessors.get(paths["created"]),
        version=accessors.get(paths["version"]),
        place=accessors.get(paths["place"]),
        place_id=accessors.get(paths["place_id"], _nothing),
        updated_codec=updated_codec,
        created_codec=created_codec,
        asked_page_size=entry.page_size or _page_size(entry.url),
        filters=bool(template.slots),
        unit=template.unit,
        overlap=element.overlap if entry.overlap is None else entry.overlap,
        warnings=(
            *_unique(template.warnings, updated_codec, created_codec),
            *_coarseness(updated_codec),
            *_deletes_caveat(entry, resource),
        ),
    )
    _try_out(plan)
    return plan


def _deletes_caveat(entry: PollerEntry, resource: Resource) -> tuple[str, ...]:
    if entry.track_deletes is None:
        return ()
    if resource.deletes is None:
        raise ConfigurationError(
            f"deletions of {resource.name} cannot be found: its element knows no way",
            where="trackDeletes",
            hint="leave it out",
        )
    return (resource.deletes.caveat,) if resource.deletes.caveat else ()


def _template(url: str) -> Template:
    try:
        return parse_template(url)
    except ConfigurationError as error:
        error.where = "url"
        raise


def _unique(warnings: tuple[str, ...], *codecs: Codec | None) -> tuple[str, ...]:
    """The template's warnings and those of the patterns, each once."""
    return tuple(dict.fromkeys((*warnings, *(text for codec in codecs if codec for text in codec.warnings))))


def _coarseness(codec: Codec | None) -> tuple[str, ...]:
    """What the hours or days that a pattern leaves out mean for the user."""
    if codec is None or codec.unit <= timedelta(minutes=1):
        return ()
    unit = "hour" if codec.unit < timedelta(days=1) else "day" if codec.unit == timedelta(days=1) else "month or year"
    return (f"updatedDateFormat is exact to the {unit} only: a change is announced when that {unit} is over",)


def _try_out(plan: Plan) -> None:
    """Render and translate once, so that what the provider cannot express is said now and not at three in the night."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    try:
        plan.request(Window(start=moment, end=moment + timedelta(minutes=1)))
    except ConnectoryError as error:
        error.where = error.where or "url"
        raise


def _resource_of(entry: PollerEntry, element: Element, resources: Mapping[str, Resource]) -> Resource:
    """The resource that the URL reads: `/hubs/{hub}/{resource}`, where the platform ignores the hub."""
    path = entry.url.partition("?")[0]
    segments = [segment for segment in path.split("/") if segment]
    if segments[:1] == ["hubs"]:
        segments = segments[2:]
    if len(segments) != 1:
        raise ConfigurationError(
            f"{path!r} names no resource",
            where="url",
            hint=f"write /hubs/{element.hub}/<resource>?where=...",
        )
    try:
        return resources[segments[0]]
    except KeyError:
        raise unknown_resource(segments[0], element, resources, where="url") from None


def unknown_resource(
    name: str, element: Element, resources: Mapping[str, Resource], where: str | None = None
) -> ConfigurationError:
    return ConfigurationError(
        f"unknown resource {name!r}", where=where, hint=f"{element.key} has {', '.join(resources) or 'none'}"
    )


def dates_of(entry: PollerEntry, resource: Resource) -> DatesConfiguration:
    """The entry's own dates, else those of the resource's default entry."""
    if entry.dates != DatesConfiguration() or resource.poller is None:
        return entry.dates
    default: PollerEntry = PollerEntrySchema().load(dict(resource.poller))
    return default.dates


def _id_field(entry: PollerEntry, resource: Resource) -> str:
    """`id` is the platform's name for whatever the provider calls it."""
    return resource.id_field if entry.id_field in {"", "id"} else entry.id_field


def _codec(plugins: Plugins, element: Element, pattern: str | None, timezone: str | None, field: str) -> Codec | None:
    if not pattern:
        return None
    try:
        return plugins.date_format(element, pattern, timezone or None)
    except ConfigurationError as error:
        error.where = f"datesConfiguration.{field}Format"
        raise


def _page_size(url: str) -> int | None:
    """What a poll URL says of the page size, in the platform's own word."""
    try:
        value = dict(split_poll_url(url).params).get("pageSize")
    except ConfigurationError as error:
        error.where = "url"
        raise
    if value is None:
        return None
    if not value.isdigit() or not 1 <= int(value) <= 10_000:
        raise ConfigurationError(f"pageSize is {value!r}, expected a number from 1 to 10000", where="url")
    return int(value)


# Reading records

Path = tuple[str, ...]

_STEP = re.compile(r"""\.?(?:\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]|([^.\[\]]+))""")


def _path(text: str | None, where: str) -> Path:
    """A JSON path such as `sys_id`, `user.id`, `$.a.b` or `['Modified Time']` as its steps; `()` for none."""
    if not text:
        return ()
    rest = text.removeprefix("$").strip()
    steps: list[str] = []
    position = 0
    while position < len(rest):
        match = _STEP.match(rest, position)
        if match is None:
            raise ConfigurationError(
                f"{text!r} is no path to a field", where=where, hint="write e.g. sys_id, user.id or ['Modified Time']"
            )
        steps.append(next(group for group in match.groups() if group is not None))
        position = match.end()
    return tuple(steps)


def _row_decoder(paths: list[Path], records_path: str) -> tuple[Callable[[bytes], list[Any]], dict[Path, Accessor]]:
    """A decoder of a page that builds only the first step of each path, and the accessors that go on from there."""
    heads = list(dict.fromkeys(path[0] for path in paths))
    row = msgspec.defstruct(
        "Row",
        [(f"f{number}", Any, None) for number in range(len(heads))],
        rename={f"f{number}": head for number, head in enumerate(heads)},
        gc=False,
    )
    accessors = {path: _accessor(f"f{heads.index(path[0])}", path[1:]) for path in paths}
    return _list_decoder(row, records_path), accessors


def _accessor(attribute: str, rest: Path) -> Accessor:
    if not rest:
        return operator.attrgetter(attribute)

    def dig(row: Any) -> Any:
        value = getattr(row, attribute)
        for step in rest:
            if isinstance(value, Mapping):
                value = value.get(step)
            elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
        return value

    return dig


def _nothing(_row: Any) -> None:
    return None


def _raw_decoder(records_path: str) -> Callable[[bytes], list[msgspec.Raw]]:
    return _list_decoder(msgspec.Raw, records_path)


def _list_decoder(item: Any, records_path: str) -> Callable[[bytes], list[Any]]:
    """Decodes the list at `records_path` of a body; nothing there is an empty list."""
    steps = [step for step in records_path.split(".") if step]
    kind: Any = list[item]
    for step in reversed(steps):
        kind = msgspec.defstruct("Body", [("content", kind | None, None)], rename={"content": step})
    decoder = msgspec.json.Decoder(kind)

    def decode(body: bytes) -> list[Any]:
        value = decoder.decode(body)
        for _ in steps:
            if value is None:
                break
            value = value.content
        return value or []

    return decode
