"""A plan: how one resource is polled, and how its records are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import ceql
from ..clock import duration_micros
from ..model import DatesConfiguration, Query, Request
from ..paging import SinglePage
from ..schemas import PollerEntrySchema
from ..templates import split_poll_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    import msgspec

    from ..dates import Codec
    from ..model import Element, Paginator, PollerEntry, Resource, Window
    from ..plugins import Plugins
    from ..templates import Rendered
    from .rows import Accessor

_MINUTE = 60_000_000

# Parameters of a poll URL that Cloud Elements defines. They are translated, and never passed on to the provider.
_OWN_PARAMS = {"where", "pageSize", "page", "nextPage", "fields", "orderBy"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How to poll one resource. `name` is the entry's key, which becomes the events' `objectType`.

    `rows` decodes the body of a page into rows that hold only the fields that the accessors read; `raws` decodes it
    into the bytes of its records. `object_id`, `updated`, `created` and `version` read the fields that the entry names.
    `place` and `place_id` read the stamp and the id that the provider orders by: an entry may name other fields.
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
    """False for a listing of everything: then the provider is not asked for a span of time."""
    begun: int | None = None
    """When the instance was created, in microseconds of the provider's time; None if that is not known."""
    asked_page_size: int | None = None
    """The number of records per page that the entry or its URL asks for; None if neither does."""

    @property
    def id_field(self) -> str:
        return id_field_of(self.entry, self.resource)

    @property
    def page_size(self) -> int:
        return self.asked_page_size or self.element.page_size

    @property
    def ambiguity(self) -> int:
        """How much too early a stamp may be read, in microseconds; see `dates.Codec`."""
        return 0 if self.updated_codec is None else duration_micros(self.updated_codec.ambiguity)

    @property
    def paginator(self) -> Paginator:
        return self.resource.paginator or self.element.paginator or SinglePage()

    @property
    def reach(self) -> timedelta:
        """How far before the last poll a window begins."""
        return self.overlap + self.entry.poll_delay

    def floor(self, micros: int) -> int:
        """The earliest stamp of a record that changes at this moment: stamps are cut to their unit."""
        unit = 1 if self.updated_codec is None else duration_micros(self.updated_codec.unit)
        cut = micros - micros % max(unit, 1)
        # Days and hours begin at different moments in different zones, so go back one more unit.
        return cut if unit <= _MINUTE else cut - unit

    def render(self, window: Window) -> Rendered:
        """The poll URL for one window, with the values of its slots."""
        return self.plugins.render_template(self.element, self.resource, self.entry.url, window)

    def request(self, window: Window, page_size: int | None = None) -> tuple[Request, Query]:
        """The request for a window, before the paginator adds its parameters, and the query that it stands for."""
        return self.translate(self.render(window), window, page_size)

    def translate(self, rendered: Rendered, window: Window, page_size: int | None = None) -> tuple[Request, Query]:
        """Like `request`, but for a URL that is already rendered."""
        url = split_poll_url(rendered.text)
        own = dict(url.params)
        query = Query(
            expression=ceql.parse(own.get("where", "")),
            params=tuple((name, value) for name, value in url.params if name not in _OWN_PARAMS),
            page_size=page_size or self.page_size,
            window=window if self.is_windowed else None,
        )
        translated = self.plugins.translate_query(self.element, self.resource, query)
        # Parameters of the URL replace the resource's default parameters of the same name.
        named = {name for name, _ in translated}
        defaults = tuple(pair for pair in self.resource.params if pair[0] not in named)
        return Request(path=self.resource.path, params=(*defaults, *translated)), query


def dates_of(entry: PollerEntry, resource: Resource) -> DatesConfiguration:
    """The entry's own dates; if it names none, those of the resource's default entry."""
    if entry.dates != DatesConfiguration() or resource.poller is None:
        return entry.dates
    default: PollerEntry = PollerEntrySchema().load(dict(resource.poller))
    return default.dates


def id_field_of(entry: PollerEntry, resource: Resource) -> str:
    """The path of the id: an entry that says `id`, or nothing, means the resource's own id field."""
    return resource.id_field if entry.id_field in {"", "id"} else entry.id_field
