"""A small plugin's project that meets every rule, for tests to break."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NUMBERS = itertools.count(1)

PYPROJECT = """\
[project]
name = "connectory-MODULE"
version = "1.0"
description = "Orders of the Demo shop for Connectory."
readme = "README.md"
requires-python = ">=3.11"
license = "Apache-2.0"
dependencies = ["connectory>=0.1"]

[project.entry-points.connectory]
demo = "MODULE"
"""

README = """\
# connectory-MODULE

The Demo shop for Connectory: its orders are polled, and what was created, changed or deleted is announced. Install it
with pip, then create an instance; the sandbox lets you try it without an account.

`demo.url` is the address of your shop, `demo.api.key` the key from its page *Settings > API*.
"""

PLUGIN = '''\
"""The Demo shop."""

from typing import Any

from marshmallow import Schema, fields

from connectory import (
    ApiKeyAuth,
    Config,
    Element,
    Feed,
    Limit,
    PageNumber,
    Params,
    Query,
    Request,
    Resource,
    hookimpl,
    judges,
    page_instead_of_json,
    quota,
    to_params,
    total_in_body,
)
from connectory.schemas import SecretField

connectory_api = 2

STAMP = "yyyy-MM-dd'T'HH:mm:ss'Z'"
DATES = {
    "updatedDateField": "updated_at",
    "updatedDateFormat": STAMP,
    "updatedDateTimezone": "GMT",
    "createdDateField": "created_at",
    "createdDateFormat": STAMP,
    "createdDateTimezone": "GMT",
}
POLLER = {
    "url": f"/hubs/ecommerce/orders?where=updated_at>='${{gmtDate:{STAMP}}}'",
    "idField": "id",
    "datesConfiguration": DATES,
}
TRANSLATE = to_params({"updated_at": {">=": "since", ">": "since"}})
ORDERS = Resource(
    name="orders",
    path="/orders",
    records_path="items",
    updated_field="updated_at",
    poller=POLLER,
    deletes=Feed(query=f"deleted_since=${{gmtDate:{STAMP}}}", date_field="deleted_at", date_format=STAMP),
    description="What customers have ordered.",
)


class Configuration(Schema):
    demo_url = fields.String(
        data_key="demo.url",
        load_default="https://demo.example",
        metadata={"label": "Address", "description": "The address of your shop."},
    )
    demo_key = SecretField(
        data_key="demo.api.key", required=True, metadata={"label": "Key", "description": "From Settings > API."}
    )


def base_url(config: Config) -> str:
    return str(config["demo.url"])


DEMO = Element(
    key="demo",
    name="Demo",
    hub="ecommerce",
    description="Orders of a Demo shop.",
    base_url=base_url,
    config_schema=Configuration,
    judge=judges(page_instead_of_json(), quota((429, 503))),
    paginator=PageNumber(size="per_page", most=100, total=total_in_body("total")),
    probe=Request(path="/orders", params=(("per_page", "1"),)),
    limits=(Limit(requests=100),),
)


@hookimpl
def connect_register_elements() -> list[Element]:
    return [DEMO]


@hookimpl
def connect_build_auth(element: Element, config: Config, tokens: Any) -> ApiKeyAuth:
    return ApiKeyAuth(config["demo.api.key"], header="X-Api-Key")


@hookimpl
def connect_list_resources(element: Element, config: Config, client: Any) -> list[Resource]:
    return [ORDERS]


@hookimpl
def connect_translate_query(element: Element, resource: Resource, query: Query) -> Params:
    return TRANSLATE(query)


@hookimpl
def connect_open_sandbox(element: Element) -> Any:
    from connectory.sandbox import NumberedPages, Sandbox, api_key

    fake = Sandbox()
    fake.authenticate = api_key("k3y", header="X-Api-Key")
    fake.configure = lambda url: {"demo.url": url, "demo.api.key": "k3y"}
    fake.resource("/orders", fake.table("orders"), NumberedPages(size="per_page"), records="items")
    return fake
'''

# The contract's own tests are looked at elsewhere: here it matters how they end.
TESTS = '''\
class ElementContract:
    """Stands for the real one."""

    def test_one(self) -> None:
        assert self.element == "demo"


class TestDemo(ElementContract):
    element = "demo"
'''

FILES = {
    "pyproject.toml": PYPROJECT,
    "README.md": README,
    "src/MODULE/__init__.py": PLUGIN,
    "src/MODULE/py.typed": "",
    "tests/test_demo.py": TESTS,
}


def write(folder: Path, changes: dict[str, list[tuple[str, str]] | str | None] | None = None) -> Path:
    """A project in a folder of its own. `changes` are replacements in files, new texts of files, or None: no such file.

    Each has a module of another name, for a process imports a module once.
    """
    module = f"demo_{next(_NUMBERS)}"
    files: dict[str, str | None] = dict(FILES)
    for name, change in (changes or {}).items():
        if isinstance(change, list):
            text = str(files[name])
            for old, new in change:
                assert old in text, f"{name} has no {old!r}"
                text = text.replace(old, new)
            files[name] = text
        else:
            files[name] = change
    for name, text in files.items():
        if text is not None:
            file = folder / module / name.replace("MODULE", module)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("MODULE", module))
    return folder / module
