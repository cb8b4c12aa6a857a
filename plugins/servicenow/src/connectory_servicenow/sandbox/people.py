"""The people who work in the instance: each step is one change that a person would make."""

from collections.abc import Callable
from random import Random
from typing import Literal, NamedTuple

from . import names
from .instance import Instance
from .records import Seeder
from .store import Record

CREATED: Literal["created"] = "created"
UPDATED: Literal["updated"] = "updated"


class Step(NamedTuple):
    table: str
    sys_id: str
    change: Literal["created", "updated"]


class People:
    """Makes one random but plausible change per step, the same ones for the same seed."""

    def __init__(self, sandbox: Instance, seed: int = 1) -> None:
        self._sandbox = sandbox
        self._random = Random(seed)
        self._seeder = Seeder(sandbox, seed)
        habits = self._habits()
        self._actions = [action for action, _ in habits]
        self._weights = [weight for _, weight in habits]

    def _habits(self) -> tuple[tuple[Callable[[], Step | None], int], ...]:
        return (
            (self._report_incident, 20),
            (self._comment, 16),
            (self._take_work_note, 10),
            (self._assign, 14),
            (self._hold, 5),
            (self._raise_urgency, 5),
            (self._resolve, 10),
            (self._close, 4),
            (self._reopen, 2),
            (self._hire, 4),
            (self._edit_phone, 6),
            (self._promote, 3),
            (self._deactivate, 1),
            (self._add_company, 3),
            (self._edit_company, 6),
        )

    def step(self) -> Step:
        """Make one change; if an action finds no record to change, another one is tried."""
        with self._sandbox.lock:
            while True:
                action = self._random.choices(self._actions, self._weights)[0]
                if done := action():
                    return done

    def _any(self, table: str, wanted: Callable[[Record], bool] = lambda record: True) -> Record | None:
        records = [record for record in self._sandbox.tables[table].values() if wanted(record)]
        return self._random.choice(records) if records else None

    def _someone(self) -> Record | None:
        return self._any("sys_user", lambda user: user["active"] == "true")

    def _writer(self) -> str:
        someone = self._someone()
        return someone["user_name"] if someone else "admin"

    def _create(self, table: str, values: dict[str, str]) -> Step:
        record = self._sandbox.insert(table, values, by=self._writer())
        return Step(table, record.sys_id, CREATED)

    def _change(self, record: Record | None, values: dict[str, str]) -> Step | None:
        """None if there is no record, or if it has these values already."""
        if record is None:
            return None
        after = self._sandbox.update(record.table, record.sys_id, values, by=self._writer())
        return Step(record.table, record.sys_id, UPDATED) if after is not record else None

    def _incident_in(self, states: str) -> Record | None:
        return self._any("incident", lambda incident: incident["state"] in states)

    def _report_incident(self) -> Step:
        caller, group = self._someone(), self._any("sys_user_group")
        values = self._seeder.incident()
        values["caller_id"] = caller.sys_id if caller else ""
        values["assignment_group"] = group.sys_id if group else ""
        return self._create("incident", values)

    def _comment(self) -> Step | None:
        return self._change(self._incident_in("1236"), {"comments": self._random.choice(names.REMARKS)})

    def _take_work_note(self) -> Step | None:
        return self._change(self._incident_in("123"), {"work_notes": self._random.choice(names.REMARKS)})

    def _assign(self) -> Step | None:
        agent = self._someone()
        values = {"assigned_to": agent.sys_id if agent else "", "state": "2"}
        return self._change(self._incident_in("123"), values)

    def _hold(self) -> Step | None:
        return self._change(self._incident_in("2"), {"state": "3", "hold_reason": self._random.choice("1234")})

    def _raise_urgency(self) -> Step | None:
        return self._change(self._incident_in("12"), {"urgency": self._random.choice("12")})

    def _resolve(self) -> Step | None:
        return self._change(self._incident_in("23"), self._seeder.resolution() | {"state": "6"})

    def _close(self) -> Step | None:
        return self._change(self._incident_in("6"), {"state": "7"})

    def _reopen(self) -> Step | None:
        return self._change(self._incident_in("6"), {"state": "2", "comments": "It is back, please look again."})

    def _hire(self) -> Step:
        return self._create("sys_user", self._seeder.user(10_000 + len(self._sandbox.tables["sys_user"])))

    def _edit_phone(self) -> Step | None:
        return self._change(self._someone(), {"phone": self._seeder.phone()})

    def _promote(self) -> Step | None:
        return self._change(self._someone(), {"title": self._random.choice(names.TITLES)})

    def _deactivate(self) -> Step | None:
        # Users that log in are kept, or a long run would end all logins.
        leaver = self._any("sys_user", lambda user: user["active"] == "true" and "@" in user["email"])
        return self._change(leaver, {"active": "false"})

    def _add_company(self) -> Step:
        return self._create("core_company", self._seeder.company())

    def _edit_company(self) -> Step | None:
        edits = ({"phone": self._seeder.phone()}, self._seeder.address())
        return self._change(self._any("core_company"), self._random.choice(edits))
