"""How the plugin's resources would be polled. Nothing is sent: the plans are compiled and rendered."""

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
            yield f"{name}: the provider is asked the same whatever the window is"


@per_element
def dated(subject: Subject, element: Element) -> Iterator[str]:
    for name, plan in subject.plans(element).items():
        if plan.updated is None or plan.updated_codec is None:
            yield f"{name}: nothing says when a record was changed"
        if plan.created is None or plan.created_codec is None:
            yield f"{name}: nothing says when a record was created"


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
        # A codec of the plugin's own knows the zone.
        return
    for name, plan in subject.plans(element).items():
        dates = plan.entry.dates
        for pattern, zone in (
            (dates.updated_format, dates.updated_timezone),
            (dates.created_format, dates.created_timezone),
        ):
            if pattern and not zone and not pattern.rstrip("'").endswith(_ZONELESS):
                yield f"{name}: the dates {pattern!r} name no zone, and the entry does not either"


@per_element
def paged(subject: Subject, element: Element) -> Iterator[str]:
    for resource in subject.polled(element):
        paginator = resource.paginator or element.paginator
        if paginator is None:
            yield f"{resource.name}: nothing says how its pages are walked"


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
        reason="Instances are configured before there is a login; a list that needs one cannot be chosen from.",
        cure="Let connect_list_resources answer with what is known when client is None; paths begin with /.",
        check=listed,
    ),
    Rule(
        id="polling",
        tier=Tier.BRONZE,
        title="Its default poller entries compile",
        reason="An instance polls with them as soon as it is created.",
        cure="Correct the entry that is named; `connect explain` shows what becomes of one.",
        check=polled,
    ),
    Rule(
        id="dates-read-back",
        tier=Tier.BRONZE,
        title="A date that is written is read back as the same moment",
        reason="A date that is off by a zone, or has none, makes polls skip changes or read all of them again.",
        cure="Name the pattern and the zone in datesConfiguration, or answer connect_date_format with a codec of your "
        "own whose parse returns an aware UTC datetime.",
        check=dates_read_back,
    ),
    Rule(
        id="paging",
        tier=Tier.SILVER,
        title="It says how the pages of a list are walked",
        reason="Without it only the first page is read, and changes on the others are lost.",
        cure="Set Element.paginator or Resource.paginator; SinglePage() where a list never has a second page.",
        check=paged,
    ),
    Rule(
        id="asks-for-changes",
        tier=Tier.SILVER,
        title="The provider is asked for what has changed",
        reason="Otherwise every poll reads everything, which costs both sides dear and meets the provider's limits.",
        cure="Put a where with ${gmtDate:...} into the poller entry's url, and let connect_translate_query turn it "
        "into the provider's parameter.",
        check=asks_for_changes,
    ),
    Rule(
        id="dated",
        tier=Tier.SILVER,
        title="Records say when they were created and changed",
        reason="CREATED and UPDATED are told apart by the two.",
        cure="Name both fields and their patterns in the poller entry's datesConfiguration.",
        check=dated,
    ),
    Rule(
        id="zones-named",
        tier=Tier.SILVER,
        title="Dates without a zone are given one",
        reason="They would be taken for UTC, and be wrong by hours where they are not.",
        cure='Add updatedDateTimezone and createdDateTimezone to datesConfiguration, e.g. "GMT".',
        check=zoned,
    ),
    Rule(
        id="delete-source",
        tier=Tier.GOLD,
        title="Deletions can be found on every polled resource",
        reason="A copy of the provider's records otherwise keeps what is long gone.",
        cure="Set Resource.deletes to a Feed or an AuditLog, or to a Sweep where the provider tells nothing.",
        check=deletions_found,
    ),
    Rule(
        id="all-pages",
        tier=Tier.GOLD,
        title="Lists are read beyond their first page",
        reason="What a single page cannot hold is never announced.",
        cure="Use the paginator of the provider's habit: PageNumber, Offset, CursorInBody, NextLinkInBody, Keyset.",
        check=single_pages_meant,
    ),
    Rule(
        id="resources-described",
        tier=Tier.PLATINUM,
        title="Every polled resource is described",
        reason="The provider's word for a thing is not always the customer's.",
        cure="Add a sentence as Resource.description.",
        check=resources_described,
    ),
)
