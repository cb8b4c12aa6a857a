"""Makes every write: applies defaults, rules, system fields, journals, and the log of deletes."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from connectory.sandbox import Clock

from .literals import Literals
from .matching import Matcher
from .rules import Change, RuleError, apply_rules
from .script import Asker
from .stamps import as_stamp, to_stamp, zone
from .store import Record, Store
from .switches import Switches

JOURNALS = ("comments", "work_notes")


def as_text(value: Any) -> str:
    """A JSON value as the platform stores it, which is always text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "value" in value:
        return as_text(value["value"])
    return json.dumps(value)


class Business:
    def __init__(self, store: Store, clock: Clock, switches: Callable[[], Switches], seed: int) -> None:
        self.store = store
        self._clock = clock
        self._switches = switches
        self._random = Random(seed)
        self._numbers: dict[str, int] = {}

    def new_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def insert(
        self,
        table: str,
        values: Mapping[str, Any],
        *,
        by: str = "admin",
        at: datetime | str | None = None,
        auto_sys_fields: bool = True,
    ) -> Record:
        table = self._leaf(table, values)
        given = self._known(table, values)
        moment = as_stamp(at) if at else to_stamp(self._clock.now())
        system = self._created(table, moment, by) if auto_sys_fields else {}
        fields = self._numbered(table, system | self.store.schema.defaults(table) | given)
        fields["sys_id"] = given.get("sys_id") or self.new_id()
        self._refuse_duplicate(table, fields["sys_id"])
        record = self._checked(Change(self.store, table, moment, by, _filled(fields), None), "insert")
        self._put(record)
        self._write_journal(record, self._entries(table, values), by, moment)
        return record

    def update(
        self,
        table: str,
        sys_id: str,
        values: Mapping[str, Any],
        *,
        by: str = "admin",
        at: datetime | str | None = None,
        auto_sys_fields: bool = True,
    ) -> Record:
        before = self._existing(table, sys_id)
        given = self._known(before.table, values)
        entries = self._entries(before.table, values)
        if not entries and all(before[name] == value for name, value in given.items()):
            return before
        moment = as_stamp(at) if at else to_stamp(self._clock.now())
        fields = {**before, **given}
        if auto_sys_fields:
            fields |= {"sys_updated_on": moment, "sys_updated_by": by} | _counted(before) | _system_part(given)
        record = self._checked(Change(self.store, before.table, moment, by, _filled(fields), before), "update")
        self._put(record)
        self._write_journal(record, entries, by, moment)
        return record

    def delete(self, table: str, sys_id: str, *, by: str = "admin", at: datetime | str | None = None) -> Record:
        record = self._existing(table, sys_id)
        moment = as_stamp(at) if at else to_stamp(self._clock.now())
        self._run_scripts(record, "delete")
        self._delete_attachments(record)
        self.store.remove(record)
        if self._is_audited(record.table):
            self._log_delete(record, by, moment)
        return record

    def purge_audit(self) -> None:
        """Forget the logged deletes that are older than the instance keeps."""
        retention = self._switches().audit.retention
        if retention is None:
            return
        oldest = as_stamp(self._clock.now() - timedelta(seconds=retention))
        for record in list(self.store.tables["sys_audit_delete"].values()):
            if record["sys_created_on"] < oldest:
                self.store.remove(record)

    def _leaf(self, table: str, values: Mapping[str, Any]) -> str:
        wanted = as_text(values.get("sys_class_name"))
        return wanted if wanted in self.store.schema.family(table) else table

    def _known(self, table: str, values: Mapping[str, Any]) -> dict[str, str]:
        columns = self.store.schema.columns(table)
        return {
            name: as_text(value)
            for name, value in values.items()
            if name in columns and columns[name].kind != "journal" and name != "sys_class_name"
        }

    def _entries(self, table: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        columns = self.store.schema.columns(table)
        texts = [(name, as_text(values.get(name))) for name in JOURNALS if name in columns]
        return [(name, text) for name, text in texts if text]

    def _created(self, table: str, moment: str, by: str) -> dict[str, str]:
        return {
            "sys_created_on": moment,
            "sys_created_by": by,
            "sys_updated_on": moment,
            "sys_updated_by": by,
            "sys_mod_count": "0",
        }

    def _numbered(self, table: str, fields: dict[str, str]) -> dict[str, str]:
        if "sys_class_name" in self.store.schema.columns(table):
            fields["sys_class_name"] = table
        prefix = self.store.schema.prefix(table)
        if prefix and not fields.get("number"):
            self._numbers[prefix] = self._numbers.get(prefix, 10_000) + 1
            fields["number"] = f"{prefix}{self._numbers[prefix]:07}"
        return fields

    def _refuse_duplicate(self, table: str, sys_id: str) -> None:
        root = self.store.schema.lineage(table)[-1]
        if self.store.find_written(root, sys_id):
            raise RuleError(f"Unique Key violation detected by database (Duplicate entry '{sys_id}' for key 'PRIMARY')")

    def _existing(self, table: str, sys_id: str) -> Record:
        record = self.store.find_written(table, sys_id)
        if record is None:
            raise KeyError(f"{table} has no record {sys_id}")
        return record

    def _checked(self, change: Change, action: str) -> Record:
        apply_rules(change)
        record = Record(change.table, _filled(change.values))
        self._run_scripts(record, action)
        return record

    def _run_scripts(self, record: Record, action: str) -> None:
        rules = self.store.tables["sys_script"].written.values()
        for rule in sorted(rules, key=lambda rule: int(rule["order"] or "100")):
            if self._aborts(rule, record, action):
                raise RuleError(_abort_text(rule, record))

    def _aborts(self, rule: Record, record: Record, action: str) -> bool:
        switched_on = rule["active"] == rule["abort_action"] == rule[f"action_{action}"] == "true"
        concerns = rule["collection"] in self.store.schema.lineage(record.table) and rule["when"] == "before"
        return switched_on and concerns and self._holds(rule["filter_condition"], record)

    def _holds(self, condition: str, record: Record) -> bool:
        asker = Asker("", "", zone(self._switches().instance_zone), self._clock.now())
        return Matcher(self.store, Literals(asker)).compile(condition, record.table)(record)

    def _put(self, record: Record, delay: float = 0) -> None:
        delay += self._switches().commit_delay
        self.store.put(record, self._clock.now() + timedelta(seconds=delay) if delay else None)

    def _write_journal(self, record: Record, entries: list[tuple[str, str]], by: str, moment: str) -> None:
        for element, text in entries:
            values = {"element": element, "element_id": record.sys_id, "name": record.table, "value": text}
            self.insert("sys_journal_field", values, by=by, at=moment)

    def _delete_attachments(self, record: Record) -> None:
        for attachment in list(self.store.tables["sys_attachment"].values()):
            if attachment["table_sys_id"] == record.sys_id:
                self.store.files.pop(attachment.sys_id, None)
                self.store.remove(attachment)
        self.store.files.pop(record.sys_id, None)

    def _is_audited(self, table: str) -> bool:
        audit = self._switches().audit
        if table in audit.ignored_tables:
            return False
        return not table.startswith("sys_") or table in audit.sys_tables

    def _log_delete(self, record: Record, by: str, moment: str) -> None:
        # The log names the class of the record, even if it was deleted through a parent table.
        values = {
            "sys_id": self.new_id(),
            "tablename": record.table,
            "documentkey": record.sys_id,
            "display_value": record[self.store.schema.spec(record.table).display],
            "payload": _payload(record),
        }
        fields = values | self._created("sys_audit_delete", moment, by)
        self._put(Record("sys_audit_delete", fields), self._switches().audit.delay)


def _filled(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value != ""}


def _counted(before: Record) -> dict[str, str]:
    return {"sys_mod_count": str(int(before["sys_mod_count"] or "0") + 1)}


def _system_part(given: Mapping[str, str]) -> dict[str, str]:
    """System fields that the caller set override those of the rules."""
    return {name: value for name, value in given.items() if name.startswith("sys_")}


def _payload(record: Record) -> str:
    fields = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in record.items())
    return f'<?xml version="1.0" encoding="UTF-8"?><{record.table}>{fields}</{record.table}>'


def _abort_text(rule: Record, record: Record) -> str:
    name = rule["name"]
    said = f" {rule['message']}" if rule["add_message"] == "true" else ""
    aborted = f"Operation against file '{record.table}' was aborted by Business Rule '{name}^{rule.sys_id}'."
    return f"{aborted}{said} Business Rule Stack:{name}"
