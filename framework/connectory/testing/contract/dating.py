"""Checks: the dates of records are read as the right moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...records.identify import plain
from .base import ContractBase
from .failing import broken, demand

if TYPE_CHECKING:
    from ...dates import Codec
    from .world import World

# Winter, summer, a leap day and the end of a year, at hours that no change of daylight saving time repeats.
_MOMENTS = (
    datetime(2024, 1, 15, 12, 34, 56, 789_000, tzinfo=UTC),
    datetime(2024, 7, 15, 20, 4, 5, 6_000, tzinfo=UTC),
    datetime(2024, 2, 29, 15, 0, 0, tzinfo=UTC),
    datetime(2025, 12, 31, 16, 59, 59, tzinfo=UTC),
)
_CODEC = "correct the pattern and the zone in datesConfiguration, or parse and format of your connect_date_format"


class Dating(ContractBase):
    def test_updated_dates_round_trip(self, world: World, resource: str) -> None:
        _round_trip(_codec(world, resource, "updated"), resource)

    def test_created_dates_round_trip(self, world: World, resource: str) -> None:
        _round_trip(_codec(world, resource, "created"), resource)

    def test_updated_dates_are_true(self, world: World, resource: str) -> None:
        made = world.create(resource)
        world.clock.advance(timedelta(hours=7))
        changed_at = world.clock.now()
        world.update(resource, made)
        _check_moment(world, resource, "updated", made, changed_at)

    def test_created_dates_are_true(self, world: World, resource: str) -> None:
        created_at = world.clock.now()
        _check_moment(world, resource, "created", world.create(resource), created_at)

    def test_window_start_is_rendered_early_enough(self, world: World, resource: str) -> None:
        plan = world.plan(resource)
        if not plan.filters:
            world.skip(f"the poll URL of {resource} does not use a date")
        record = world.create(resource)
        world.clock.advance(10)
        stamp = _read(world, resource, "updated" if plan.updated else "created", record)
        found = world.ids(resource, window=world.window(stamp.replace(microsecond=0)))
        demand(
            record in found,
            f"a window that starts exactly at the stamp of a record of {resource} does not show the record",
            "the poll URL must ask for >=, or leave the template to Connectory, which steps back by one unit for >;"
            " its zone (${gmtDate}, ${dateTimeZone}) must be the provider's",
        )


def _codec(world: World, resource: str, role: str) -> Codec:
    codec: Codec | None = getattr(world.plan(resource), f"{role}_codec")
    if codec is None:
        world.skip(f"the poller entry of {resource} has no {role}DateFormat")
    return codec


def _round_trip(codec: Codec, resource: str) -> None:
    for moment in _MOMENTS:
        written = codec.format(moment)
        read = codec.parse(written)
        _check_aware(read, written, resource)
        cut = codec.unit if codec.unit > timedelta(0) else timedelta(microseconds=1)
        demand(
            timedelta(0) <= moment - read < cut,
            f"{resource} writes {moment.isoformat()} as {written!r} and reads that as {read.isoformat()}",
            _CODEC,
        )


def _check_aware(moment: datetime, value: object, resource: str) -> None:
    demand(
        moment.utcoffset() is not None,
        f"{resource} reads {value!r} as {moment.isoformat()}, which has no time zone",
        "return an aware datetime in UTC from the codec of connect_date_format (compile_pattern does)",
    )


def _read(world: World, resource: str, role: str, record_id: str) -> datetime:
    """The date of a record, as a poll reads it."""
    plan, codec = world.plan(resource), _codec(world, resource, role)
    rows: dict[str | None, Any] = {}
    for page in world.pages(resource):
        rows |= dict(zip(page.records.ids, page.records.rows, strict=True))
    if record_id not in rows:
        broken(f"{resource} does not show record {record_id}", "see test_id_field_holds_the_id")
    value = plain(getattr(plan, role)(rows[record_id]))
    try:
        moment = codec.parse(value)
    except (ValueError, TypeError, OverflowError) as error:
        broken(f"the {role} date {value!r} of {resource} cannot be read: {error}", _CODEC)
    _check_aware(moment, value, resource)
    return moment


def _check_moment(world: World, resource: str, role: str, record_id: str, happened: datetime) -> None:
    if getattr(world.plan(resource), role) is None:
        world.skip(f"the poller entry of {resource} has no {role}DateField")
    read = _read(world, resource, role, record_id)
    unit = max(_codec(world, resource, role).unit, timedelta(seconds=1))
    demand(
        abs(read - happened) <= unit,
        f"a record of {resource} was {role} at {happened.isoformat()}, but its {role} date reads {read.isoformat()}",
        f"{_CODEC}; a difference of whole hours means a wrong zone",
    )
