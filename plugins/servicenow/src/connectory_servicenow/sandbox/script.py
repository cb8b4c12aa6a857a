"""The few `javascript:` expressions that filters use: the current user, and dates in the zone of that user."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from .stamps import to_stamp

_CALL = re.compile(r"(?:javascript:)?\s*(?:gs\.)?(\w+)\((.*)\)\s*;?\s*", re.DOTALL)
_ARGUMENT = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|(-?\d+))\s*(?:,|$)""")


@dataclass(frozen=True, slots=True)
class Asker:
    """The user who runs a query, and the time on the instance."""

    user_id: str
    user_name: str
    zone: tzinfo
    now: datetime

    @property
    def local(self) -> datetime:
        return self.now.astimezone(self.zone)

    def midnight(self, days_ago: int = 0) -> datetime:
        day = self.local.date() - timedelta(days=days_ago)
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)


def evaluate(expression: str, asker: Asker) -> str | None:
    """The result of an expression; None if it is not supported."""
    found = _CALL.fullmatch(expression)
    if not found or found[1] not in _FUNCTIONS:
        return None
    arguments = [a or b or c for a, b, c in _ARGUMENT.findall(found[2])]
    try:
        return _FUNCTIONS[found[1]](asker, arguments)
    except (ValueError, IndexError):
        return None


def _generate(asker: Asker, arguments: list[str]) -> str:
    date, time = arguments
    time = {"start": "00:00:00", "end": "23:59:59"}.get(time, time)
    naive = datetime.fromisoformat(f"{date} {time}")
    return to_stamp(naive.replace(tzinfo=asker.zone))


def _ago(unit: str) -> Callable[[Asker, list[str]], str]:
    return lambda asker, arguments: to_stamp(asker.now - timedelta(**{unit: int(arguments[0])}))


def _edge_of_hour(end: bool) -> Callable[[Asker, list[str]], str]:
    def edge(asker: Asker, arguments: list[str]) -> str:
        hour = (asker.now - timedelta(hours=int(arguments[0]))).replace(minute=0, second=0)
        return to_stamp(hour + _last_second(end, hours=1))

    return edge


def _edge_of_minute(end: bool) -> Callable[[Asker, list[str]], str]:
    def edge(asker: Asker, arguments: list[str]) -> str:
        minute = (asker.now - timedelta(minutes=int(arguments[0]))).replace(second=0)
        return to_stamp(minute + _last_second(end, minutes=1))

    return edge


def _edge_of_day(end: bool, days_ago: int | None = None) -> Callable[[Asker, list[str]], str]:
    def edge(asker: Asker, arguments: list[str]) -> str:
        ago = int(arguments[0]) if days_ago is None else days_ago
        start = asker.midnight(ago - 1) - timedelta(seconds=1) if end else asker.midnight(ago)
        return to_stamp(start)

    return edge


def _last_second(end: bool, **length: int) -> timedelta:
    return timedelta(**length) - timedelta(seconds=1) if end else timedelta()


_FUNCTIONS: dict[str, Callable[[Asker, list[str]], str]] = {
    "getUserID": lambda asker, _: asker.user_id,
    "getUserName": lambda asker, _: asker.user_name,
    "now": lambda asker, _: asker.local.strftime("%Y-%m-%d"),
    "nowDateTime": lambda asker, _: to_stamp(asker.now),
    "dateGenerate": _generate,
    "daysAgo": _ago("days"),
    "hoursAgo": _ago("hours"),
    "minutesAgo": _ago("minutes"),
    "daysAgoStart": _edge_of_day(end=False),
    "daysAgoEnd": _edge_of_day(end=True),
    "hoursAgoStart": _edge_of_hour(end=False),
    "hoursAgoEnd": _edge_of_hour(end=True),
    "minutesAgoStart": _edge_of_minute(end=False),
    "minutesAgoEnd": _edge_of_minute(end=True),
    "beginningOfToday": _edge_of_day(end=False, days_ago=0),
    "endOfToday": _edge_of_day(end=True, days_ago=0),
    "beginningOfYesterday": _edge_of_day(end=False, days_ago=1),
    "endOfYesterday": _edge_of_day(end=True, days_ago=1),
    "beginningOfTomorrow": _edge_of_day(end=False, days_ago=-1),
    "endOfTomorrow": _edge_of_day(end=True, days_ago=-1),
}
