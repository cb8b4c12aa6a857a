"""The state of one fake instance, and the methods by which tests change it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from connectory.sandbox import Provider, utc_now

from .budget import Budget, Gauge
from .business import Business
from .faults import KINDS
from .literals import Literals
from .login import open_login
from .render import Reading
from .replies import error_body
from .schema import Schema, TableSpec
from .script import Asker
from .stamps import zone
from .store import Record, Store, Table
from .switches import Switches
from .tables import CORE, CUSTOMER_SERVICE

Moment = datetime | str | None
"""A moment from a test: text without a zone is GMT, as in records; None is now."""

ZONE_PROPERTY = "glide.sys.default.tz"


class Instance(Provider):
    """The data that the API answers from, guarded by one lock."""

    how = ("by", "auto_sys_fields")

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        seed: int = 1,
        switches: Switches | None = None,
        customer_service: bool = False,
    ) -> None:
        super().__init__(clock=clock, seed=seed, switches=switches or Switches(), kinds=KINDS)
        self.schema = Schema(CORE + CUSTOMER_SERVICE if customer_service else CORE)
        self.store = Store(self.schema)
        self.business = Business(self.store, self.clock, lambda: self.switches, seed)
        self.budget = Budget()
        self.running = Gauge()
        self.oauth = open_login(self)
        self.authority = self.oauth.authority
        self.error_body = error_body
        self.settle = self._settle

    @property
    def tables(self) -> dict[str, Table]:
        return self.store.tables

    def switched(self) -> None:
        self.authority.switches = self.switches.oauth
        self._publish_zone()

    def insert(self, name: str, values: Mapping[str, Any], *, at: Moment = None, **how: Any) -> Record:
        """Create a record as the platform would; `at`, `by` and `auto_sys_fields` say how."""
        with self.lock:
            self._refuse_unknown(name, values)
            return self.business.insert(name, values, at=at, **how)

    def update(self, name: str, record_id: str, values: Mapping[str, Any], *, at: Moment = None, **how: Any) -> Record:
        with self.lock:
            self._refuse_unknown(name, values)
            return self.business.update(name, record_id, values, at=at, **how)

    def delete(self, name: str, record_id: str, *, at: Moment = None, **how: Any) -> Record:
        with self.lock:
            return self.business.delete(name, record_id, at=at, **how)

    def records(self, name: str) -> Sequence[Record]:
        return list(self.tables[name].values())

    def sizes(self) -> Mapping[str, int]:
        return {name: len(table) for name, table in self.tables.items()}

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
        """The id of the user; empty if the name or the password is wrong."""
        user = self.user_named(user_name)
        if user is None:
            return ""
        right = self.authority.people.get(user["user_name"], user["user_name"])
        return user.sys_id if password == right else ""

    def zone_of(self, user: Record) -> tzinfo:
        return zone(self.switches.user_zone or user["time_zone"] or self.switches.instance_zone)

    def asker(self, user: Record) -> Asker:
        return Asker(user.sys_id, user["user_name"], self.zone_of(user), self.clock.now())

    def literals(self, user: Record) -> Literals:
        return Literals(self.asker(user), self.switches.literal_zone, self.switches.t_literals)

    def reading(self, user: Record) -> Reading:
        return Reading(self.zone_of(user), user["date_format"] or "yyyy-MM-dd", user["time_format"] or "HH:mm:ss")

    def _settle(self) -> None:
        self.store.settle(self.clock.now())
        self.business.purge_audit()

    def _users(self) -> list[Record]:
        return [user for table in self.schema.family("sys_user") for user in self.tables[table].values()]

    def _refuse_unknown(self, table: str, values: Mapping[str, Any]) -> None:
        # The API ignores unknown names; in a test an unknown name is a mistake.
        known = {name for member in self.schema.family(table) for name in self.schema.columns(member)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"{table} has no column {', '.join(unknown)}")

    def _publish_zone(self) -> None:
        for record in self.tables["sys_properties"].values():
            if record["name"] == ZONE_PROPERTY:
                self.business.update("sys_properties", record.sys_id, {"value": self.switches.instance_zone})
                return


def _may_log_in(user: Record) -> bool:
    return user["active"] == "true" and user["locked_out"] != "true"
