"""Fills a new instance with a company directory and its incidents."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from . import names
from .instance import ZONE_PROPERTY, Instance
from .stamps import to_stamp
from .store import Record

HISTORY = timedelta(days=90)
PASSWORD_HASH = "$pbkdf2-sha512$i=10000,l=64$c2FuZGJveA$b25seSBhIHN0YW5kLWlu"
STOCK_USERS: tuple[dict[str, str], ...] = (
    {"user_name": "admin", "first_name": "System", "last_name": "Administrator", "roles": "admin"},
    {
        "user_name": "integration",
        "first_name": "Integration",
        "last_name": "Account",
        "roles": "itil",
        "time_zone": "GMT",
        "internal_integration_user": "true",
    },
    {
        "user_name": "reader",
        "first_name": "Read",
        "last_name": "Only",
        "roles": "itil,snc_read_only",
        "time_zone": "GMT",
    },
    {
        "user_name": "oslo",
        "first_name": "Olav",
        "last_name": "Nordmann",
        "roles": "itil",
        "time_zone": "Europe/Oslo",
        "date_format": "dd-MM-yyyy",
        "time_format": "HH:mm:ss",
    },
)
"""The users that can log in; the password of each is its user name."""


class Seeder:
    """Makes up records, the same ones for the same seed."""

    def __init__(self, instance: Instance, seed: int) -> None:
        self._instance = instance
        self._random = Random(seed)
        self._now = instance.clock.now()

    def insert(self, table: str, values: dict[str, Any]) -> Record:
        """A record from some day of the past, perhaps changed a few times since."""
        created = self._now - timedelta(seconds=self._random.randint(60, int(HISTORY.total_seconds())))
        return self._instance.insert(table, values | self._history(created), at=created)

    def _history(self, created: datetime) -> dict[str, str]:
        changes = self._random.choice((0, 0, 1, 2, 3, 7))
        if not changes:
            return {}
        age = int((self._now - created).total_seconds())
        return {
            "sys_updated_on": to_stamp(created + timedelta(seconds=self._random.randint(1, age))),
            "sys_mod_count": str(changes),
        }

    def pick(self, choices: Sequence[Any]) -> Any:
        return self._random.choice(choices)

    def some_id(self, records: Sequence[Record]) -> str:
        return self._random.choice(records).sys_id if records else ""

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def phone(self) -> str:
        return f"+1 {self.number(200, 989)} {self.number(200, 999)} {self.number(0, 9999):04}"

    def address(self) -> dict[str, str]:
        city, state, country = self.pick(names.CITIES)
        return {
            "street": f"{self.number(1, 240)} {self.pick(names.STREETS)}",
            "city": city,
            "state": state,
            "zip": f"{self.number(10000, 99999)}",
            "country": country,
        }

    def company(self) -> dict[str, str]:
        name = f"{self.pick(names.COMPANY_WORDS)} {self.pick(names.COMPANY_KINDS)}"
        return self.address() | {
            "name": name,
            "phone": self.phone(),
            "fax_phone": self.phone(),
            "website": f"https://www.{name.lower().replace(' ', '-')}.example",
            "num_employees": str(self.number(5, 90_000)),
            "revenue_per_year": str(self.number(1, 900) * 100_000),
            "publicly_traded": self.pick(("true", "false")),
            "customer": self.pick(("true", "false")),
            "vendor": self.pick(("true", "false")),
            "notes": self.pick(names.DETAILS),
        }

    def user(self, known: int) -> dict[str, str]:
        first, last = self.pick(names.FIRST_NAMES), self.pick(names.LAST_NAMES)
        user_name = f"{first}.{last}.{known}".lower()
        return self.address() | {
            "user_name": user_name,
            "first_name": first,
            "last_name": last,
            "email": f"{user_name}@example.com",
            "phone": self.phone(),
            "mobile_phone": self.phone(),
            "title": self.pick(names.TITLES),
            "employee_number": f"E{known:05}",
            "preferred_language": "en",
            "user_password": PASSWORD_HASH,
        }

    def incident(self) -> dict[str, str]:
        category = self.pick(tuple(names.PROBLEMS))
        return {
            "short_description": self.pick(names.PROBLEMS[category]),
            "description": " ".join(self.pick(names.DETAILS) for _ in range(3)),
            "category": category,
            "impact": self.pick("1233"),
            "urgency": self.pick("1233"),
            "contact_type": self.pick(("email", "phone", "self-service", "walk-in")),
        }

    def resolution(self) -> dict[str, str]:
        return {"close_code": self.pick(names.CLOSE_CODES), "close_notes": self.pick(names.CLOSE_NOTES)}


def seed_instance(
    instance: Instance,
    seed: int,
    *,
    companies: int = 20,
    users: int = 40,
    incidents: int = 60,
    customer_accounts: int = 0,
    customer_contacts: int = 0,
) -> None:
    seeder = Seeder(instance, seed)
    _describe_tables(instance)
    accounts = [seeder.insert("core_company", seeder.company()) for _ in range(companies)]
    surroundings = _surroundings(seeder, accounts)
    people = _people(seeder, users, surroundings)
    _customers(seeder, customer_accounts, customer_contacts)
    for _ in range(incidents):
        seeder.insert("incident", _incident(seeder, people, surroundings))


def _describe_tables(instance: Instance) -> None:
    stamp = to_stamp(instance.clock.now() - HISTORY - timedelta(days=400))
    ids: dict[str, str] = {}
    for spec in sorted(instance.schema, key=lambda spec: len(instance.schema.lineage(spec.name))):
        values = {"name": spec.name, "label": spec.label, "super_class": ids.get(spec.parent, "")}
        ids[spec.name] = instance.insert("sys_db_object", values, at=stamp).sys_id
    values = {"name": ZONE_PROPERTY, "value": instance.switches.instance_zone, "type": "string"}
    instance.insert("sys_properties", values, at=stamp)


def _surroundings(seeder: Seeder, companies: list[Record]) -> dict[str, list[Record]]:
    """The records that users and incidents refer to."""
    found = {"core_company": companies}
    found["cmn_location"] = [seeder.insert("cmn_location", _location(seeder)) for _ in range(6)]
    found["cmn_department"] = [seeder.insert("cmn_department", {"name": name}) for name in names.DEPARTMENTS]
    found["cmn_cost_center"] = [seeder.insert("cmn_cost_center", {"name": name}) for name in names.DEPARTMENTS]
    found["sys_user_group"] = [
        seeder.insert("sys_user_group", {"name": name, "active": "true"}) for name in names.GROUPS
    ]
    found["cmdb_ci_server"] = [seeder.insert("cmdb_ci_server", {"name": name}) for name in names.ITEMS]
    found["cmdb_ci_service"] = [seeder.insert("cmdb_ci_service", {"name": name}) for name in names.SERVICES]
    return found


def _location(seeder: Seeder) -> dict[str, str]:
    address = seeder.address()
    return address | {"name": f"{address['street']}, {address['city']}"}


def _people(seeder: Seeder, count: int, around: dict[str, list[Record]]) -> list[Record]:
    people = [seeder.insert("sys_user", {"user_password": PASSWORD_HASH} | user) for user in STOCK_USERS]
    for known in range(len(people), count):
        place = {
            "company": seeder.some_id(around["core_company"]),
            "department": seeder.some_id(around["cmn_department"]),
            "location": seeder.some_id(around["cmn_location"]),
            "cost_center": seeder.some_id(around["cmn_cost_center"]),
            "manager": seeder.some_id(people),
        }
        people.append(seeder.insert("sys_user", seeder.user(known) | place))
    return people


def _customers(seeder: Seeder, accounts: int, contacts: int) -> None:
    customers = [seeder.insert("customer_account", seeder.company()) for _ in range(accounts)]
    for known in range(contacts):
        account = seeder.some_id(customers)
        person = seeder.user(90_000 + known) | {"account": account, "company": account}
        seeder.insert("customer_contact", person)


def _incident(seeder: Seeder, people: list[Record], around: dict[str, list[Record]]) -> dict[str, str]:
    return (
        seeder.incident()
        | _work(seeder, people)
        | {
            "caller_id": seeder.some_id(people),
            "assignment_group": seeder.some_id(around["sys_user_group"]),
            "location": seeder.some_id(around["cmn_location"]),
            "cmdb_ci": seeder.some_id(around["cmdb_ci_server"]),
            "business_service": seeder.some_id(around["cmdb_ci_service"]),
            "opened_by": seeder.some_id(people),
        }
    )


def _work(seeder: Seeder, people: list[Record]) -> dict[str, str]:
    state = seeder.pick("1122336677")
    values = {"state": state, "incident_state": state}
    if state != "1":
        values["assigned_to"] = seeder.some_id(people)
    if state == "3":
        values["hold_reason"] = seeder.pick("1234")
    if state in "67":
        values |= seeder.resolution() | {"resolved_by": values["assigned_to"]}
    if state == "7":
        values |= {"closed_by": values["assigned_to"], "active": "false"}
    return values
