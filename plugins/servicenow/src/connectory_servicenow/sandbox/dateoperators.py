"""The operators that compare dates with the present, with another date, or by a part such as the month."""

import re
from datetime import datetime, timedelta

from .operand import Maker, Operand, Predicate, Test
from .stamps import from_stamp, to_stamp
from .store import Record

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "dayofweek": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "quarter": timedelta(days=91),
    "year": timedelta(days=365),
}
_DATE_PART = re.compile(r"""gs\.datePart\(\s*['"](\w+)['"]\s*,\s*['"](\w+)['"]""")
_PART_FORMATS = {"dayofweek": "%A", "month": "%B", "year": "%Y", "hour": "%H"}


def relative(test: Test) -> Maker:
    def make(operand: Operand) -> Predicate | None:
        moment = _relative_moment(operand)
        read = operand.read
        return (lambda record: (text := read(record)) != "" and test(text, moment)) if moment else None

    return make


def _relative_moment(operand: Operand) -> str | None:
    unit, direction, amount = [*operand.value.strip("@").split("@"), "", "", ""][:3]
    if unit not in _UNITS or not amount.isdigit():
        return None
    span = _UNITS[unit] * int(amount)
    now = operand.literals.asker.now
    return to_stamp(now + span if direction in {"ahead", "after"} else now - span)


def distance(test: Test) -> Maker:
    """Whether two dates of a record are more, or less, than a span apart."""

    def make(operand: Operand) -> Predicate | None:
        name, unit, direction, amount = [*operand.value.split("@"), "", "", ""][:4]
        other = operand.other(name)
        if other is None or unit not in _UNITS or not amount.isdigit():
            return None
        read, span, sign = operand.read, _UNITS[unit] * int(amount), -1 if direction == "before" else 1

        def apart(record: Record) -> bool:
            this, that = read(record), other(record)
            if not this or not that:
                return False
            apart_by = sign * (from_stamp(this) - from_stamp(that))
            return apart_by >= timedelta() and test(apart_by, span)

        return apart

    return make


def date_part(operand: Operand) -> Predicate | None:
    found = _DATE_PART.search(operand.value)
    if not found or found[1] not in _PART_FORMATS:
        return None
    layout, wanted, read = _PART_FORMATS[found[1]], found[2].casefold(), operand.read
    zone = operand.literals.asker.zone

    def part(record: Record) -> bool:
        text = read(record)
        return text != "" and _moment(text).astimezone(zone).strftime(layout).casefold() == wanted

    return part


def _moment(text: str) -> datetime:
    return from_stamp(text if len(text) > 10 else f"{text} 00:00:00")
