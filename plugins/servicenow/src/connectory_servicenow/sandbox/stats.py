"""The Aggregate API: counts, sums, averages and extremes, whole or by group."""

import operator
from collections.abc import Callable
from typing import Any

from werkzeug.wrappers import Response

from connectory.sandbox import json_reply

from .call import Call
from .labels import choices_for
from .listing import require_table, select_rows
from .operand import number
from .paths import Path, display_reader, find_path, reader
from .schema import DATES
from .store import Record

Rows = list[Record]

_HAVING: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def aggregate(call: Call, table: str) -> Response:
    require_table(call, table)
    rows = select_rows(call, table)
    fields = _paths(call, table, "sysparm_group_by")
    if not fields:
        return json_reply({"result": {"stats": _stats(call, table, rows)}})
    groups = [_group(call, table, fields, members) for members in _split(call, fields, rows)]
    return json_reply({"result": [group for group in groups if _is_kept(call, group["stats"])]})


def _paths(call: Call, table: str, param: str) -> list[Path]:
    names = [name.strip() for name in call.param(param).split(",")]
    return [path for name in names if (path := find_path(call.instance.store, table, name))]


def _split(call: Call, fields: list[Path], rows: Rows) -> list[Rows]:
    readers = [reader(call.instance.store, path) for path in fields]
    groups: dict[tuple[str, ...], Rows] = {}
    for row in rows:
        groups.setdefault(tuple(read(row) for read in readers), []).append(row)
    return [groups[key] for key in sorted(groups)]


def _group(call: Call, table: str, fields: list[Path], rows: Rows) -> dict[str, Any]:
    return {"stats": _stats(call, table, rows), "groupby_fields": [_label(call, path, rows[0]) for path in fields]}


def _label(call: Call, path: Path, row: Record) -> dict[str, str]:
    store = call.instance.store
    value, shown = reader(store, path)(row), display_reader(store, path)(row)
    shown = choices_for(store.schema.lineage(path.table), path.column.name).get(shown, shown)
    if call.display == "true":
        return {"field": path.name, "value": shown}
    label = {"field": path.name, "value": value}
    return label | {"display_value": shown} if call.display == "all" else label


def _stats(call: Call, table: str, rows: Rows) -> dict[str, Any]:
    stats: dict[str, Any] = {"count": str(len(rows))} if call.flag("sysparm_count") else {}
    for name, compute in _MEASURES.items():
        paths = _paths(call, table, f"sysparm_{name}_fields")
        if paths:
            stats[name] = {path.name: compute(_values(call, path, rows), path) for path in paths}
    return stats


def _values(call: Call, path: Path, rows: Rows) -> list[str]:
    read = reader(call.instance.store, path)
    return [value for row in rows if (value := read(row))]


def _numbers(values: list[str]) -> list[float]:
    return [amount for value in values if (amount := number(value)) is not None]


def _plain(amount: float) -> str:
    return str(int(amount)) if amount == int(amount) else f"{amount:.4f}"


def _sum(values: list[str], _: Path) -> str:
    return _plain(sum(_numbers(values)))


def _average(values: list[str], _: Path) -> str:
    amounts = _numbers(values)
    return _plain(sum(amounts) / len(amounts)) if amounts else ""


def _extreme(choose: Callable[..., Any]) -> Callable[[list[str], Path], str]:
    def find(values: list[str], path: Path) -> str:
        if not values:
            return ""
        if path.column.kind in DATES or len(_numbers(values)) < len(values):
            return str(choose(values))
        return str(choose(values, key=float))

    return find


_MEASURES: dict[str, Callable[[list[str], Path], str]] = {
    "sum": _sum,
    "avg": _average,
    "min": _extreme(min),
    "max": _extreme(max),
}


def _is_kept(call: Call, stats: dict[str, Any]) -> bool:
    """`sysparm_having` reads aggregate^field^operator^number."""
    parts = call.param("sysparm_having").split("^")
    if len(parts) != 4 or parts[2] not in _HAVING:
        return True
    measured = stats.get(parts[0], "")
    amount = number(measured.get(parts[1], "") if isinstance(measured, dict) else measured)
    wanted = number(parts[3])
    return amount is None or wanted is None or _HAVING[parts[2]](amount, wanted)
