"""The hooks that ServiceNow implements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectory.hookspecs import hookimpl

from . import auth, resources
from .element import SERVICENOW
from .query import translate
from .stamps import stamp_codec

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from connectory.auth import TokenSource
    from connectory.dates import Codec
    from connectory.http import Client
    from connectory.model import Config, Element, Params, Query, Resource

    from .sandbox import Sandbox

connectory_api = 2


@hookimpl
def connect_register_elements() -> list[Element]:
    return [SERVICENOW]


@hookimpl
def connect_build_auth(element: Element, config: Config, tokens: TokenSource) -> AuthBase:
    return auth.build_auth(tokens)


@hookimpl
def connect_list_resources(element: Element, config: Config, client: Client | None) -> list[resources.TableResource]:
    return resources.list_resources(config)


@hookimpl
def connect_translate_query(element: Element, resource: Resource, query: Query) -> Params:
    return translate(resource, query)


@hookimpl
def connect_date_format(element: Element, pattern: str, timezone: str | None) -> Codec:
    return stamp_codec(pattern, timezone)


@hookimpl
def connect_open_sandbox(element: Element) -> Sandbox:
    # Imported here because the sandbox loads a web framework.
    from .sandbox import create_sandbox

    return create_sandbox()
