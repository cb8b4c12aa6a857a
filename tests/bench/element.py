"""The element of the benchmarks' provider."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

from connectory import BasicAuth, Element, Resource, hookimpl

FORMAT = "yyyy-MM-dd HH:mm:ss"
DATES = {
    "updatedDateField": "sys_updated_on",
    "updatedDateFormat": FORMAT,
    "createdDateField": "sys_created_on",
    "createdDateFormat": FORMAT,
}


class OffsetPages:
    """Pages of the asked size until one is not full."""

    def walk(self, request, query):
        offset = 0
        while True:
            page = yield request.with_params(offset=str(offset), limit=str(query.page_size))
            offset += page.rows
            if page.rows < query.page_size:
                return


class BenchConfiguration(Schema):
    class Meta:
        unknown = INCLUDE

    base_url = fields.String(data_key="base.url", required=True)


ELEMENT = Element(
    key="bench",
    name="Bench",
    hub="bench",
    base_url=lambda config: config["base.url"],
    config_schema=BenchConfiguration,
    paginator=OffsetPages(),
)


def resource(name: str) -> Resource:
    return Resource(
        name=name,
        path=f"/{name}",
        id_field="sys_id",
        updated_field="sys_updated_on",
        created_field="sys_created_on",
        version_field="sys_mod_count",
        records_path="result",
        poller={"url": f"/hubs/bench/{name}", "idField": "sys_id", "datesConfiguration": DATES},
    )


@hookimpl
def connect_register_elements():
    return [ELEMENT]


@hookimpl
def connect_build_auth(element, config, tokens):
    return BasicAuth("bench", "bench")


@hookimpl
def connect_list_resources(element, config, client):
    return [resource("items"), resource("idle")]
