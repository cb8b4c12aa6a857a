"""A small element whose parts can be spoilt one by one, for tests of what finds out about it."""

from __future__ import annotations

from dataclasses import replace

from marshmallow import Schema, fields

from connectory import (
    BearerAuth,
    Element,
    OAuth2,
    PageNumber,
    Request,
    Resource,
    hookimpl,
    judges,
    message_at,
    page_instead_of_json,
    quota,
    to_params,
    total_in_body,
)
from connectory.deletes import Sweep
from connectory.sandbox import Authority, NumberedPages, OAuth2Server, Sandbox, hex_id, iso_stamp
from connectory.schemas import SecretField

STAMP = "yyyy-MM-dd'T'HH:mm:ss'Z'"
DATES = {
    "updatedDateField": "updated_at",
    "updatedDateFormat": STAMP,
    "updatedDateTimezone": "GMT",
    "createdDateField": "created_at",
    "createdDateFormat": STAMP,
    "createdDateTimezone": "GMT",
}
SINCE = {">=": "since", ">": "since"}
PAGES = PageNumber(size="per_page", most=100, total=total_in_body("total"))


class Configuration(Schema):
    url = fields.String(data_key="demo.url", required=True)
    tenant_token = SecretField(data_key="demo.tenant.token", load_default=None, allow_none=True)
    colour = fields.String(data_key="demo.colour", load_default="blue")


def entry(**more):
    url = f"/hubs/shop/orders?where=updated_at>='${{gmtDate:{STAMP}}}'"
    return {"url": url, "idField": "id", "datesConfiguration": DATES} | more


class Demo:
    """A whole element; a subclass spoils one thing of it."""

    stamp = staticmethod(iso_stamp)
    new_id = staticmethod(hex_id)
    resource = Resource(
        name="orders",
        path="/orders",
        records_path="items",
        updated_field="updated_at",
        created_field="created_at",
        poller=entry(),
        deletes=Sweep(total=total_in_body("total")),
    )
    style = NumberedPages(size="per_page")
    translate = staticmethod(to_params({"updated_at": SINCE, "status": "status"}))

    def __init__(self, **spoilt) -> None:
        self.element = replace(
            Element(
                key="demo",
                name="Demo Shop",
                hub="shop",
                base_url=lambda config: f"{config['demo.url']}/v1",
                config_schema=Configuration,
                oauth=OAuth2(
                    authorize_url=lambda config: f"{config['demo.url']}/oauth/authorize",
                    token_url=lambda config: f"{config['demo.url']}/oauth/token",
                ),
                judge=judges(page_instead_of_json(), quota((429, 503)), message=message_at("error.message")),
                paginator=PAGES,
                probe=Request(path="/orders", params=(("per_page", "1"),)),
            ),
            **spoilt,
        )

    @hookimpl
    def connect_register_elements(self):
        return [self.element]

    @hookimpl
    def connect_build_auth(self, element, config, tokens):
        return BearerAuth(tokens)

    @hookimpl
    def connect_list_resources(self, element, config, client):
        return [self.resource]

    @hookimpl
    def connect_translate_query(self, element, resource, query):
        return self.translate(query)

    @hookimpl
    def connect_open_sandbox(self, element):
        fake = Sandbox()
        fake.oauth = OAuth2Server(authority=Authority(clock=fake.clock))
        fake.configure = lambda base_url: {"demo.url": base_url, "demo.tenant.token": "tenant-secret-1"}
        table = fake.table("orders", sample=self.sample, filled=4, stamp=self.stamp, new_id=self.new_id)
        self.fill(fake, table)
        return fake

    @staticmethod
    def sample(random, number):
        return {"name": f"No. {number}", "status": ("open", "closed")[number % 2]}

    def fill(self, fake, table) -> None:
        fake.resource("/v1/orders", table, self.style, records="items", where=self.where)

    @staticmethod
    def where(row, call):
        status = call.param("status")
        return row["updated_at"] >= call.param("since") and (not status or row["status"] == status)
