"""Records as JSON: the value shapes of `sysparm_display_value` and what is shown of each kind of field."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any, Literal

from .labels import choices_for
from .paths import BOTH_JOURNALS, Path, find_path, owner, reader
from .stamps import from_stamp
from .store import Record, Store

Display = Literal["false", "true", "all"]

JOURNAL_TITLES = {"comments": "Additional comments", "work_notes": "Work notes"}
_JAVA_FORMAT = (
    ("yyyy", "%Y"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("ss", "%S"),
    ("a", "%p"),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a user sees dates: the zone and the two formats of the profile."""

    zone: tzinfo
    date: str = "yyyy-MM-dd"
    time: str = "HH:mm:ss"

    def moment(self, stamp: str) -> str:
        return _moment(stamp, self.zone, f"{self.date} {self.time}")

    def day(self, date: str) -> str:
        return datetime.fromisoformat(date[:10]).strftime(strftime(self.date))


@lru_cache(maxsize=20_000)
def _moment(stamp: str, zone: tzinfo, java: str) -> str:
    return from_stamp(stamp).astimezone(zone).strftime(strftime(java))


@lru_cache(maxsize=64)
def strftime(java: str) -> str:
    for letters, directive in _JAVA_FORMAT:
        java = java.replace(letters, directive) if letters != "a" else java.replace(" a", f" {directive}")
    return java


@dataclass(frozen=True, slots=True)
class View:
    """The parts of a record that a caller asked for."""

    table: str
    names: tuple[str, ...]
    display: Display
    links: bool
    base: str
    """The URL of the Table API, for the links of references."""


Shape = Callable[[Record], Any]


class Renderer:
    def __init__(self, store: Store, view: View, reading: Reading) -> None:
        self._store = store
        self._view = view
        self._reading = reading
        paths = [path for name in view.names if (path := find_path(store, view.table, name))]
        self._shapes = [(path.name, self._shape(path)) for path in paths]
        # Raw values depend only on the record, so they are rendered once for each of its versions.
        self._is_lasting = view.display == "false" and not any(path.steps for path in paths)

    def value(self, record: Record) -> dict[str, Any]:
        return {name: shape(record) for name, shape in self._shapes}

    def json(self, record: Record) -> bytes:
        if not self._is_lasting:
            return _dump(self.value(record))
        if record.rendered is None or record.rendered[0] != self._view:
            record.rendered = (self._view, _dump(self.value(record)))
        return record.rendered[1]

    def _shape(self, path: Path) -> Shape:
        read = (lambda record: "") if path.column.kind == "journal" else reader(self._store, path)
        if path.column.target:
            return self._reference(path, read)
        if self._view.display == "false":
            return read
        show = self._shown(path)
        if self._view.display == "true":
            return show
        return lambda record: {"display_value": show(record), "value": read(record)}

    def _reference(self, path: Path, read: Callable[[Record], str]) -> Shape:
        make = {"false": self._raw_reference, "true": self._named_reference, "all": self._whole_reference}
        return make[self._view.display](path.column.target, read)

    def _raw_reference(self, target: str, read: Callable[[Record], str]) -> Shape:
        if not self._view.links:
            return read
        base = f"{self._view.base}/{target}/"
        return lambda record: {"link": base + value, "value": value} if (value := read(record)) else ""

    def _named_reference(self, target: str, read: Callable[[Record], str]) -> Shape:
        display, base = self._store.display, f"{self._view.base}/{target}/"
        if not self._view.links:
            return lambda record: display(target, read(record))
        return lambda record: (
            {"display_value": display(target, value), "link": base + value} if (value := read(record)) else ""
        )

    def _whole_reference(self, target: str, read: Callable[[Record], str]) -> Shape:
        display, base, links = self._store.display, f"{self._view.base}/{target}/", self._view.links

        def whole(record: Record) -> dict[str, str]:
            value = read(record)
            shape = {"display_value": display(target, value)}
            if links and value:
                shape["link"] = base + value
            return shape | {"value": value}

        return whole

    def _shown(self, path: Path) -> Shape:
        kind = path.column.kind
        if kind == "journal":
            return lambda record: self._journal(owner(self._store, path, record), path.column.name)
        read = reader(self._store, path)
        if kind == "choice":
            labels = choices_for(self._store.schema.lineage(path.table), path.column.name)
            return lambda record: labels.get(value, value) if (value := read(record)) else None
        if kind == "class_name":
            return lambda record: self._class_label(read(record))
        if kind == "due_date":
            return lambda record: self._reading.moment(value) if (value := read(record)) else "UNKNOWN"
        show = {
            "date_time": self._reading.moment,
            "date": self._reading.day,
            "duration": _duration,
            "integer": _thousands,
        }.get(kind, str)
        return lambda record: show(value) if (value := read(record)) else ""

    def _class_label(self, name: str) -> str:
        return self._store.schema.spec(name).label if name in self._store.schema else name

    def _journal(self, record: Record | None, name: str) -> str:
        entries = self._store.journal(record.sys_id) if record else []
        wanted = [entry for entry in entries if name in {entry["element"], BOTH_JOURNALS}]
        return "".join(self._entry(entry) for entry in reversed(wanted))

    def _entry(self, entry: Record) -> str:
        title = JOURNAL_TITLES[entry["element"]]
        written = self._reading.moment(entry["sys_created_on"])
        return f"{written} - {entry['sys_created_by']} ({title})\n{entry['value']}\n\n"


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def result_list(records: Iterable[bytes]) -> bytes:
    return b'{"result":[' + b",".join(records) + b"]}"


def _thousands(text: str) -> str:
    return f"{int(text):,}" if text.lstrip("-").isdigit() else text


def _duration(stamp: str) -> str:
    """A duration is stored as a moment that long after 1970, and shown in words."""
    length = from_stamp(stamp) - from_stamp("1970-01-01 00:00:00")
    parts = [
        (length.days, "Day"),
        (length.seconds // 3600, "Hour"),
        (length.seconds % 3600 // 60, "Minute"),
        (length.seconds % 60, "Second"),
    ]
    words = [f"{amount} {unit}{'s' if amount > 1 else ''}" for amount, unit in parts if amount]
    return " ".join(words) if length > timedelta() else "0 Seconds"
