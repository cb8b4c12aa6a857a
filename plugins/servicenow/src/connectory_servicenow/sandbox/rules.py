"""The platform's own business rules, which change a record before it is written."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from .stamps import from_stamp
from .store import Record, Store

PRIORITY = {
    ("1", "1"): "1",
    ("1", "2"): "2",
    ("2", "1"): "2",
    ("1", "3"): "3",
    ("2", "2"): "3",
    ("3", "1"): "3",
    ("2", "3"): "4",
    ("3", "2"): "4",
    ("3", "3"): "5",
}
"""Priority by impact and urgency."""

RESOLVED, CLOSED, CANCELED = "6", "7", "8"
_ENDED = frozenset({CLOSED, CANCELED})
_OPEN = frozenset({"1", "2", "3"})


class RuleError(ValueError):
    """A rule refused the write; the text says which one and why."""


@dataclass
class Change:
    """A write in progress: the values that will be stored, and the record before it."""

    store: Store
    table: str
    moment: str
    writer: str
    values: dict[str, str]
    before: Record | None

    def get(self, field: str) -> str:
        return self.values.get(field, "")

    def was(self, field: str) -> str:
        return self.before[field] if self.before else ""

    def changes(self, field: str) -> bool:
        return self.get(field) != self.was(field)

    def fill_by(self, field: str, someone: str = "") -> None:
        """Put a user into an empty field, by default the one who writes."""
        if not self.get(field):
            self.values[field] = someone or user_id(self.store, self.writer)

    @property
    def is_insert(self) -> bool:
        return self.before is None


Rule = Callable[[Change], None]


def apply_rules(change: Change) -> None:
    for table in reversed(change.store.schema.lineage(change.table)):
        for rule in _RULES.get(table, ()):
            rule(change)


def user_id(store: Store, user_name: str) -> str:
    for table in store.schema.family("sys_user"):
        for user in store.tables[table].written.values():
            if user["user_name"] == user_name:
                return user.sys_id
    return ""


def _open_task(change: Change) -> None:
    if change.is_insert:
        change.values.setdefault("opened_at", change.moment)
        change.fill_by("opened_by", change.get("caller_id"))
        change.values.setdefault("task_effective_number", change.get("number"))


def _count_reassignments(change: Change) -> None:
    moved = any(change.was(field) and change.changes(field) for field in ("assignment_group", "assigned_to"))
    if moved:
        change.values["reassignment_count"] = str(int(change.was("reassignment_count") or "0") + 1)


def _set_priority(change: Change) -> None:
    if change.is_insert or change.changes("impact") or change.changes("urgency"):
        found = PRIORITY.get((change.get("impact"), change.get("urgency")))
        if found:
            change.values["priority"] = found


def _follow_state(change: Change) -> None:
    """`state` and `incident_state` always have the same value; the one that was written counts."""
    default = change.is_insert and change.get("state") == "1"
    if change.changes("incident_state") and (default or not change.changes("state")):
        change.values["state"] = change.get("incident_state")
    else:
        change.values["incident_state"] = change.get("state")


def _take_company_of_caller(change: Change) -> None:
    caller = change.store.find_written("sys_user", change.get("caller_id"))
    if change.is_insert and caller and not change.get("company") and caller["company"]:
        change.values["company"] = caller["company"]


def _resolve(change: Change) -> None:
    if change.get("state") != RESOLVED or not change.changes("state"):
        return
    if not (change.get("close_code") and change.get("close_notes")):
        raise RuleError("Data Policy Exception: The following fields are mandatory: Resolution code, Resolution notes")
    change.values.setdefault("resolved_at", change.moment)
    change.fill_by("resolved_by")
    _measure(change)


def _close(change: Change) -> None:
    if change.get("state") not in _ENDED or not change.changes("state"):
        return
    change.values["active"] = "false"
    change.values.setdefault("closed_at", change.moment)
    change.fill_by("closed_by")


def _reopen(change: Change) -> None:
    if change.was("state") not in {RESOLVED, *_ENDED} or change.get("state") not in _OPEN:
        return
    for field in ("resolved_at", "resolved_by", "closed_at", "closed_by", "close_code", "close_notes"):
        change.values.pop(field, None)
    change.values["active"] = "true"
    change.values["reopen_count"] = str(int(change.was("reopen_count") or "0") + 1)
    change.values["reopened_time"] = change.moment
    change.values["reopened_by"] = user_id(change.store, change.writer)


def _measure(change: Change) -> None:
    taken = from_stamp(change.get("resolved_at")) - from_stamp(change.get("opened_at"))
    seconds = max(0, int(taken.total_seconds()))
    duration = (from_stamp("1970-01-01 00:00:00") + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
    change.values |= {
        "calendar_duration": duration,
        "business_duration": duration,
        "calendar_stc": str(seconds),
        "business_stc": str(seconds),
    }


def _name_user(change: Change) -> None:
    if change.changes("first_name") or change.changes("last_name"):
        change.values["name"] = f"{change.get('first_name')} {change.get('last_name')}".strip()


def _code_account(change: Change) -> None:
    if change.is_insert and change.get("number"):
        code = f"~~~~{int(change.get('number').removeprefix('ACCT'))}"
        parent = change.store.find_written("customer_account", change.get("account_parent"))
        change.values["account_code"] = code
        change.values["account_path"] = f"{parent['account_path']}/{code}" if parent else code


_RULES: dict[str, tuple[Rule, ...]] = {
    "task": (_open_task, _count_reassignments),
    "incident": (_set_priority, _follow_state, _take_company_of_caller, _resolve, _close, _reopen),
    "sys_user": (_name_user,),
    "customer_account": (_code_account,),
}
