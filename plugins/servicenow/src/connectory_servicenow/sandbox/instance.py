"""One fake instance: its state, and the door through which tests change it."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from connectory.testing.sandbox import Clock, RequestLog, utc_now

from .budget import Budget, Gauge
from .business import Business
from .faults import Faults
from .literals import Literals
from .login import open_login
from .render import Reading
from .schema import Schema, TableSpec
from .script import Asker
from .stamps import zone
from .store import Record, Store, Table
from .switches import Switches
from .tables import CORE, CUSTOMER_SERVICE

ZONE_PROPERTY = "glide.sys.default.tz"


class Instance:
    """Everything the API answers from. All of it is guarded by one lock."""

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        seed: int = 1,
        switches: Switches | None = None,
        customer_service: bool = False,
    ) -> None:
        self.lock = threading.RLock()
        self.seed = seed
        self.clock = clock if isinstance(clock, Clock) else Clock(clock)
        self.schema = Schema(CORE + CUSTOMER_SERVICE if customer_service else CORE)
        self.store = Store(self.schema)
        self._switches = switches or Switches()
        self.business = Business(self.store, self.clock, lambda: self.switches, seed)
        self.faults = Faults()
        self.budget = Budget()
        self.log = RequestLog()
        self.passwords: dict[str, str] = {}
        """Passwords by user name; whoever is not listed logs in with their own name."""
        self.running = Gauge()
        self.oauth = open_login(self)
        self.authority = self.oauth.authority

    @property
    def tables(self) -> dict[str, Table]:
        return self.store.tables

    @property
    def switches(self) -> Switches:
        return self._switches

    @switches.setter
    def switches(self, switches: Switches) -> None:
        with self.lock:
            self._switches = switches
            self.authority.switches = switches.oauth
            self._publish_zone()

    def insert(self, table: str, values: Mapping[str, Any], **how: Any) -> Record:
        """Create a record as the platform would; `by`, `stamp` and `auto_sys_fields` say how."""
        with self.lock:
            self._refuse_unknown(table, values)
            return self.business.insert(table, values, **how)

    def update(self, table: str, sys_id: str, values: Mapping[str, Any], **how: Any) -> Record:
        with self.lock:
            self._refuse_unknown(table, values)
            return self.business.update(table, sys_id, values, **how)

    def delete(self, table: str, sys_id: str, **how: Any) -> None:
        with self.lock:
            self.business.delete(table, sys_id, **how)

    def add_table(self, spec: TableSpec) -> None:
        with self.lock:
            self.schema.add(spec)
            self.store.add_table(spec.name)

    def user_named(self, user_name: str) -> Record | None:
        wanted = user_name.casefold()
        for user in self._users():
            if user["user_name"].casefold() == wanted and _may_log_in(user):
                return user
        return None

    def active_user(self, user_id: str) -> Record | None:
        user = self.store.find_written("sys_user", user_id)
        return user if user and _may_log_in(user) else None

    def log_in(self, user_name: str, password: str) -> str:
        """The id of the user; empty when the name or the password is wrong."""
        user = self.user_named(user_name)
        return user.sys_id if user and password == self.passwords.get(user["user_name"], user["user_name"]) else ""

    def zone_of(self, user: Record) -> tzinfo:
        return zone(self.switches.user_zone or user["time_zone"] or self.switches.instance_zone)

    def asker(self, user: Record) -> Asker:
        return Asker(user.sys_id, user["user_name"], self.zone_of(user), self.clock.now())

    def literals(self, user: Record) -> Literals:
        return Literals(self.asker(user), self.switches.literal_zone, self.switches.t_literals)

    def reading(self, user: Record) -> Reading:
        return Reading(self.zone_of(user), user["date_format"] or "yyyy-MM-dd", user["time_format"] or "HH:mm:ss")

    def settle(self) -> None:
        """Let what time has brought about become visible."""
        self.store.settle(self.clock.now())
        self.business.purge_audit()

    def _users(self) -> list[Record]:
        return [user for table in self.schema.family("sys_user") for user in self.tables[table].values()]

    def _refuse_unknown(self, table: str, values: Mapping[str, Any]) -> None:
        # The API ignores names it does not know; in a test such a name is a typing error.
        known = {name for member in self.schema.family(table) for name in self.schema.columns(member)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"{table} has no column {', '.join(unknown)}")

    def _publish_zone(self) -> None:
        for record in self.tables["sys_properties"].values():
            if record["name"] == ZONE_PROPERTY:
                self.business.update("sys_properties", record.sys_id, {"value": self._switches.instance_zone})
                return


def _may_log_in(user: Record) -> bool:
    return user["active"] == "true" and user["locked_out"] != "true"
