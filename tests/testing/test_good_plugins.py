"""Elements of every kind of login and paging keep the contract: the kit raises no false alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest

from connectory import (
    ApiKeyAuth,
    BasicAuth,
    CursorInBody,
    Keyset,
    NextLinkInBody,
    NextLinkInHeader,
    Offset,
    PageNumber,
    SinglePage,
    hookimpl,
    total_in_body,
    total_in_header,
)
from connectory.sandbox import (
    AllAtOnce,
    CursorPages,
    KeysetPages,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    api_key,
    basic,
    counted_id,
)
from connectory.schemas import SecretField
from connectory.testing import ElementContract
from connectory.testing.contract.changing import Changing
from connectory.testing.contract.configuring import Configuring
from connectory.testing.contract.dating import Dating
from connectory.testing.contract.judging import Judging
from connectory.testing.contract.listing import Listing
from connectory.testing.contract.logins import Logins
from connectory.testing.contract.paging import Paging
from connectory.testing.contract.provisioning import Provisioning
from connectory.testing.contract.running import run_contract
from connectory.testing.contract.sandboxing import Sandboxing
from connectory.testing.contract.secrecy import Secrecy
from demo import DATES, Configuration, Demo, entry

RESOURCE = Demo.resource


def made(cls=Demo, **members):
    spoilt = members.pop("element", {})
    return type("Good", (cls,), members)(**spoilt)


class KeyConfiguration(Configuration):
    key = SecretField(data_key="demo.key", required=True)


class Keyed(Demo):
    """Without OAuth2: a key in a header."""

    place: ClassVar = {"header": "X-Api-Key"}

    def __init__(self, **changed) -> None:
        super().__init__(**{"oauth": None, "config_schema": KeyConfiguration} | changed)

    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        return ApiKeyAuth(config["demo.key"], **self.place)

    def fill(self, fake, table):
        super().fill(fake, table)
        fake.oauth = None
        fake.authenticate = self.guard()
        fake.configure = lambda base_url: {"demo.url": base_url, "demo.key": "k3y-of-demo"}

    def guard(self):
        return api_key("k3y-of-demo", **self.place)


class Basic(Keyed):
    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        return BasicAuth("ann", config["demo.key"])

    def guard(self):
        return basic({"ann": "k3y-of-demo"})


class Local(Demo):
    """Stamps of California without an offset, and a query in that zone."""

    resource = replace(
        RESOURCE,
        poller=entry(
            url="/hubs/shop/orders?where=updated_at>='${dateTimeZone:America/Los_Angeles:yyyy-MM-dd HH:mm:ss}'",
            datesConfiguration={
                "updatedDateField": "updated_at",
                "updatedDateFormat": "yyyy-MM-dd HH:mm:ss",
                "updatedDateTimezone": "America/Los_Angeles",
                "createdDateField": "created_at",
                "createdDateFormat": "yyyy-MM-dd HH:mm:ss",
                "createdDateTimezone": "America/Los_Angeles",
            },
        ),
    )

    @staticmethod
    def stamp(moment):
        return moment.astimezone(ZoneInfo("America/Los_Angeles")).strftime("%Y-%m-%d %H:%M:%S")


class Undated(Demo):
    """Records without stamps of which everything is read each time, and whose deletion nobody tells."""

    resource = replace(
        RESOURCE,
        updated_field=None,
        created_field=None,
        deletes=None,
        poller={"url": "/hubs/shop/orders", "idField": "id"},
    )

    def fill(self, fake, table):
        def show(row, call):
            return {name: value for name, value in row.items() if name not in {"updated_at", "created_at"}}

        fake.resource("/v1/orders", table, self.style, records="items", where=self.where, show=show)

    @staticmethod
    def sample(random, number):
        return Demo.sample(random, number) | {"size": random.randrange(10**9)}


class Numbered(Demo):
    """Ids are numbers in JSON."""

    new_id = staticmethod(counted_id)

    def fill(self, fake, table):
        def show(row, call):
            return row | {"id": int(row["id"])}

        fake.resource("/v1/orders", table, self.style, records="items", where=self.where, show=show)


LOGINS = {
    "a key in a header": lambda: made(Keyed),
    "a key in the query": lambda: made(Keyed, place={"query": "api_key"}),
    "basic": lambda: made(Basic),
}
PAGING = {
    "offset": lambda: made(style=OffsetPages(), element={"paginator": Offset(total=total_in_body("total"))}),
    "offset without a total": lambda: made(
        style=OffsetPages(total=None), element={"paginator": Offset()}, resource=replace(RESOURCE, deletes=None)
    ),
    "offset with a total in a header": lambda: made(
        style=OffsetPages(total=None, total_header="X-Total"),
        element={"paginator": Offset(total=total_in_header("X-Total"))},
        resource=replace(RESOURCE, deletes=None),
    ),
    "numbers from 0": lambda: made(
        style=NumberedPages(size="per_page", first=0), element={"paginator": PageNumber(size="per_page", first=0)}
    ),
    "pages as long as the provider likes": lambda: made(
        style=NumberedPages(default=7), element={"paginator": PageNumber(size=None, total=total_in_body("total"))}
    ),
    "the last page again and again": lambda: made(
        style=NumberedPages(size="per_page", total=None, repeats_last_page=True),
        element={"paginator": PageNumber(size="per_page", repeats_last_page=True)},
        resource=replace(RESOURCE, deletes=None),
    ),
    "tokens": lambda: made(
        style=CursorPages(),
        element={"paginator": CursorInBody(cursor="next_cursor", size="limit")},
        resource=replace(RESOURCE, deletes=None),
    ),
    "links in the body": lambda: made(
        style=LinkedPages(link="next"),
        element={"paginator": NextLinkInBody(link="next", size="limit")},
        resource=replace(RESOURCE, deletes=None),
    ),
    "links in a header": lambda: made(
        style=LinkedPages(),
        element={"paginator": NextLinkInHeader(size="limit")},
        resource=replace(RESOURCE, deletes=None),
    ),
    "keyset by stamp and id": lambda: made(
        style=KeysetPages(),
        element={"paginator": Keyset(after_updated="after_updated", after_id="after_id", size="limit")},
        resource=replace(RESOURCE, deletes=None),
    ),
    "keyset by id": lambda: made(
        style=KeysetPages(after_updated=None),
        element={"paginator": Keyset(after_id="after_id", size="limit")},
        resource=replace(RESOURCE, deletes=None),
    ),
    "all at once": lambda: made(
        style=AllAtOnce(), element={"paginator": SinglePage()}, resource=replace(RESOURCE, deletes=None)
    ),
}
DATES_AND_IDS = {
    "a zone": lambda: made(Local),
    "no dates": lambda: made(Undated),
    "numbers as ids": lambda: made(Numbered, resource=replace(RESOURCE, deletes=None)),
    "no created date": lambda: made(
        resource=replace(
            RESOURCE,
            created_field=None,
            poller=entry(datesConfiguration={name: DATES[name] for name in DATES if name.startswith("updated")}),
        )
    ),
    "no overlap": lambda: made(element={"overlap": timedelta(0)}),
}


GOOD = {"login": LOGINS, "paging": PAGING, "dates": DATES_AND_IDS}

# What has to do with the kind of login, of paging, of dates.
GROUPS = {
    "login": (Provisioning, Configuring, Logins, Judging, Secrecy, Sandboxing),
    "paging": (Paging, Changing),
    "dates": (Listing, Dating, Changing),
}


def checks_of(kind: str) -> list[str]:
    return [name for group in GROUPS[kind] for name in vars(group) if name.startswith("test_")]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in GOOD.items() for name in names])
def test_it_passes_the_checks(kind, name):
    contract = type("TestGood", (ElementContract,), {"plugin": GOOD[kind][name](), "element": "demo"})
    failed = [outcome for outcome in run_contract(contract, checks_of(kind)) if outcome.status == "failed"]
    assert not failed, "\n\n".join(f"{outcome.check}: {outcome.message}" for outcome in failed)
