"""Compiles one entry of `event.poller.configuration` into a plan.

Every mistake in an entry is found here, when the instance is created, and the error names the entry.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, ConnectoryError
from ..model import Window
from ..path import Path
from ..schemas import POLLER_CONFIGURATION
from ..templates import parse_template, split_poll_url
from .plan import Plan, dates_of, id_field_of
from .rows import no_field, raw_decoder, row_decoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..dates import Codec
    from ..model import DatesConfiguration, Element, PollerEntry, Resource
    from ..plugins import Plugins
    from ..templates import Template


def compile_plan(
    name: str, entry: PollerEntry, *, element: Element, resources: Mapping[str, Resource], plugins: Plugins
) -> Plan:
    """Check an entry and make a plan of it. Every mistake is a `ConfigurationError` that names the entry."""
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
    template = _template(entry.url)
    _check_ignored(entry)
    plan = Plan(
        name=name,
        element=element,
        resource=resource,
        entry=entry,
        plugins=plugins,
        **_readers(entry, resource, dates, updated=updated_codec is not None, created=created_codec is not None),
        updated_codec=updated_codec,
        created_codec=created_codec,
        asked_page_size=entry.page_size or _page_size(entry.url),
        filters=bool(template.slots),
        unit=max(template.unit, resource.bound.unit),
        overlap=element.overlap if entry.overlap is None else entry.overlap,
        warnings=(
            *_unique(template.warnings, updated_codec, created_codec),
            *_coarseness(updated_codec),
            *_deletes_caveat(entry, resource),
        ),
    )
    return replace(plan, warnings=(*plan.warnings, *_try_out(plan)))


def _readers(
    entry: PollerEntry, resource: Resource, dates: DatesConfiguration, *, updated: bool, created: bool
) -> dict[str, Any]:
    """The decoders of a page and the accessors of its rows, by their names in `Plan`."""
    paths = {
        "object_id": _path(id_field_of(entry, resource), "idField"),
        "updated": _path(dates.updated_field if updated else None, "datesConfiguration.updatedDateField"),
        "created": _path(dates.created_field if created else None, "datesConfiguration.createdDateField"),
        "version": _path(resource.version_field, "versionField"),
        "place": _path(resource.updated_field, "updatedField"),
        "place_id": _path(resource.id_field, "idField"),
    }
    records_path = Path.parse(resource.records_path)
    rows, accessors = row_decoder((path for path in paths.values() if path), records_path)
    found = {name: accessors[path] if path else None for name, path in paths.items()}
    for name in ("object_id", "place_id"):
        found[name] = found[name] or no_field
    return {"rows": rows, "raws": raw_decoder(records_path), **found}


def _path(text: str | None, where: str) -> Path | None:
    """The path of a field; None if no field is named."""
    try:
        path = Path.parse(text or "")
    except ConfigurationError as error:
        error.where = where
        raise
    return path if path.steps else None


def _check_ignored(entry: PollerEntry) -> None:
    for text in entry.ignore_fields:
        _path(text, "ignoreFields")


def _deletes_caveat(entry: PollerEntry, resource: Resource) -> tuple[str, ...]:
    if entry.track_deletes is None:
        return ()
    if resource.deletes is None:
        raise ConfigurationError(
            f"deletions of {resource.name} cannot be found: the element offers no way to find them",
            where="trackDeletes",
            hint="leave trackDeletes out",
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
    """A warning for a pattern that leaves out minutes or hours."""
    if codec is None or codec.unit <= timedelta(minutes=1):
        return ()
    unit = "hour" if codec.unit < timedelta(days=1) else "day" if codec.unit == timedelta(days=1) else "month or year"
    return (f"updatedDateFormat is exact to the {unit} only: a change is announced when that {unit} is over",)


def _try_out(plan: Plan) -> tuple[str, ...]:
    """Render and translate once, to refuse an entry that the provider cannot express. Returns warnings."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    window = Window(start=moment, end=moment + timedelta(minutes=1))
    try:
        rendered = plan.render(window)
        plan.translate(rendered, window)
    except ConnectoryError as error:
        error.where = error.where or "url"
        raise
    if all(slot.value is not None for slot in rendered.slots):
        return ()
    return ("the plugin does not tell which values it puts into the poll URL, so its lower bound cannot be checked",)


def _resource_of(entry: PollerEntry, element: Element, resources: Mapping[str, Resource]) -> Resource:
    """The resource that the URL reads: `/hubs/{hub}/{resource}`. The hub is ignored, as in Cloud Elements."""
    path = entry.url.partition("?")[0]
    segments = [segment for segment in path.split("/") if segment]
    if segments[:1] == ["hubs"]:
        segments = segments[2:]
    if len(segments) != 1:
        raise ConfigurationError(
            f"{path!r} does not name a resource",
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


def _codec(plugins: Plugins, element: Element, pattern: str | None, timezone: str | None, field: str) -> Codec | None:
    if not pattern:
        return None
    try:
        return plugins.date_format(element, pattern, timezone or None)
    except ConfigurationError as error:
        error.where = f"datesConfiguration.{field}Format"
        raise


def _page_size(url: str) -> int | None:
    """The `pageSize` of a poll URL; None if it has none."""
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
