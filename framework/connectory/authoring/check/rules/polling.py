"""Rules about how the resources are polled. Nothing is sent: the plans are only compiled and rendered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ....model import Window
from ....paging import SinglePage
from ..rule import Rule, Tier
from .element import per_element

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....dates import Codec
    from ....model import Element
    from ..subject import Subject

_MOMENT = datetime(2026, 3, 4, 15, 6, 7, tzinfo=UTC)
_ZONELESS = ("Z", "X", "XX", "XXX", "z")


@per_element
def listed(subject: Subject, element: Element) -> Iterator[str]:
    resources = subject.resources(element)
    if not resources:
        yield "it lists no resource"
    for name, resource in resources.items():
        if not resource.path.startswith("/"):
            yield f"{name}: the path {resource.path!r} does not begin with /"


@per_element
def polled(subject: Subject, element: Element) -> Iterator[str]:
    if not subject.polled(element):
        yield "no resource has a poller entry"
    for plan in subject.plans(element).values():
        plan.request(_window(_MOMENT))


@per_element
def asks_for_changes(subject: Subject, element: Element) -> Iterator[str]:
    for name, plan in subject.plans(element).items():
        one, other = (plan.request(_window(start))[0] for start in (_MOMENT, _MOMENT - timedelta(days=400)))
        if one == other:
            yield f"{name}: the request is the same for every window"


@per_element
def dated(subject: Subject, element: Element) -> Iterator[str]:
    for name, plan in subject.plans(element).items():
        if plan.updated is None or plan.updated_codec is None:
            yield f"{name}: no field says when a record was changed"
        if plan.created is None or plan.created_codec is None:
            yield f"{name}: no field says when a record was created"


@per_element
def dates_read_back(subject: Subject, element: Element) -> Iterator[str]:
    for name, plan in subject.plans(element).items():
        for codec in (plan.updated_codec, plan.created_codec):
            yield from () if codec is None else (f"{name}: {text}" for text in _misread(codec))


def _misread(codec: Codec) -> Iterator[str]:
    text = codec.format(_MOMENT)
    read = codec.parse(text)
    if read.tzinfo is None:
        yield f"{text!r} is read as a moment without a zone"
    elif not timedelta(0) <= _MOMENT - read < max(codec.unit, timedelta(microseconds=1)):
        yield f"{_MOMENT.isoformat()} is written {text!r}, and read back as {read.isoformat()}"


@per_element
def zoned(subject: Subject, element: Element) -> Iterator[str]:
    if "connect_date_format" in subject.info.hooks:
        # The plugin has its own codec, which knows the zone.
        return
    for name, plan in subject.plans(element).items():
        dates = plan.entry.dates
        for pattern, zone in (
            (dates.updated_format, dates.updated_timezone),
            (dates.created_format, dates.created_timezone),
        ):
            if pattern and not zone and not pattern.rstrip("'").endswith(_ZONELESS):
                yield f"{name}: neither the dates {pattern!r} nor the entry name a zone"


@per_element
def paged(subject: Subject, element: Element) -> Iterator[str]:
    for resource in subject.polled(element):
        paginator = resource.paginator or element.paginator
        if paginator is None:
            yield f"{resource.name}: it has no paginator"


@per_element
def deletions_found(subject: Subject, element: Element) -> Iterator[str]:
    for resource in subject.polled(element):
        if resource.deletes is None:
            yield f"{resource.name}: deletions cannot be found"


@per_element
def resources_described(subject: Subject, element: Element) -> Iterator[str]:
    for resource in subject.polled(element):
        if not resource.description.strip():
            yield f"{resource.name} has no description"


@per_element
def single_pages_meant(subject: Subject, element: Element) -> Iterator[str]:
    for resource in subject.polled(element):
        if isinstance(resource.paginator or element.paginator, SinglePage):
            yield f"{resource.name}: only its first page is read"


def _window(start: datetime) -> Window:
    return Window(start=start, end=start + timedelta(minutes=15))


RULES = (
    Rule(
        id="resources",
        tier=Tier.BRONZE,
        title="It lists resources before anybody is logged in",
        reason="Instances are configured before the login, and people choose from this list then.",
        cure="Let connect_list_resources return the known resources when client is None; paths begin with /.",
        check=listed,
    ),
    Rule(
        id="polling",
        tier=Tier.BRONZE,
        title="Its default poller entries compile",
        reason="An instance polls with them as soon as it is created.",
        cure="Correct the entry that is named; `connect explain` shows what a poll makes of it.",
        check=polled,
    ),
    Rule(
        id="dates-read-back",
        tier=Tier.BRONZE,
        title="A date that is written is read back as the same moment",
        reason="A date in the wrong zone, or without one, makes polls skip changes or read all of them again.",
        cure="Name the pattern and the zone in datesConfiguration, or answer connect_date_format with your own "
        "codec, whose parse returns an aware UTC datetime.",
        check=dates_read_back,
    ),
    Rule(
        id="paging",
        tier=Tier.SILVER,
        title="It says how to get from one page of a list to the next",
        reason="Otherwise only the first page is read, and changes on later pages are lost.",
        cure="Set Element.paginator or Resource.paginator; SinglePage() if a list never has a second page.",
        check=paged,
    ),
    Rule(
        id="asks-for-changes",
        tier=Tier.SILVER,
        title="The provider is asked only for changes",
        reason="Otherwise every poll reads everything, which is slow and runs into the provider's limits.",
        cure="Put a where with ${gmtDate:...} into the poller entry's url, and let connect_translate_query turn it "
        "into the provider's parameter.",
        check=asks_for_changes,
    ),
    Rule(
        id="dated",
        tier=Tier.SILVER,
        title="Records say when they were created and changed",
        reason="These two dates tell CREATED from UPDATED.",
        cure="Name both fields and their patterns in the poller entry's datesConfiguration.",
        check=dated,
    ),
    Rule(
        id="zones-named",
        tier=Tier.SILVER,
        title="Dates without a zone are given one",
        reason="They are read as UTC, and are hours off if the provider means another zone.",
        cure='Add updatedDateTimezone and createdDateTimezone to datesConfiguration, e.g. "GMT".',
        check=zoned,
    ),
    Rule(
        id="delete-source",
        tier=Tier.GOLD,
        title="Deletions can be found on every polled resource",
        reason="Otherwise a copy of the provider's records keeps records that were deleted.",
        cure="Set Resource.deletes to a Feed or an AuditLog, or to a Sweep if the provider reports no deletions.",
        check=deletions_found,
    ),
    Rule(
        id="all-pages",
        tier=Tier.GOLD,
        title="Lists are read beyond their first page",
        reason="Records beyond the first page are never announced.",
        cure="Use the paginator that fits the provider: PageNumber, Offset, CursorInBody, NextLinkInBody, Keyset.",
        check=single_pages_meant,
    ),
    Rule(
        id="resources-described",
        tier=Tier.PLATINUM,
        title="Every polled resource is described",
        reason="The provider's name for a thing is not always the customer's.",
        cure="Add a sentence as Resource.description.",
        check=resources_described,
    ),
)
