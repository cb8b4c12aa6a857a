"""The hooks, and nothing else.

A plugin that registers elements is asked only about those; a plugin that registers none is asked about all.
The owner of the element is asked first, then the plugins that own no element, then the built-in defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from requests.auth import AuthBase

    from .auth import TokenSource
    from .dates import Codec
    from .http import Client
    from .model import Config, Element, Params, Query, Resource, Window
    from .sandbox.protocol import ProviderSandbox
    from .templates import Rendered

hookspec = pluggy.HookspecMarker("connectory")
hookimpl = pluggy.HookimplMarker("connectory")
"""Marks a function of a plugin as its answer to the hook of that name. It takes the arguments that it needs, by name.

`@hookimpl(optionalhook=True)` is for a hook that this version of Connectory may not have."""

API_VERSION = 2
"""The version of the hooks. It goes up when a hook or an argument is renamed or removed, not when one is added."""


@hookspec
def connect_register_elements() -> Sequence[Element]:  # type: ignore[empty-body]
    """Return the elements this plugin provides.

    Asked once, when the plugin is loaded. If another plugin has already registered one of the keys, this plugin is
    quarantined.
    """


@hookspec(firstresult=True)
def connect_build_auth(element: Element, config: Config, tokens: TokenSource) -> AuthBase | None:
    """Return the object that signs the requests of one instance.

    If it also has `renew(prepared) -> bool`, that is called when the provider refuses the token of a prepared request;
    True means that there is a new token and the request is sent again.

    Stops at the first answer that is not None.
    """


@hookspec
def connect_list_resources(  # type: ignore[empty-body]
    element: Element, config: Config, client: Client | None
) -> Sequence[Resource]:
    """Return resources that an instance offers.

    `client` is None while the instance is being configured: answer what is known without calling the provider.

    The answers of all plugins are joined. Of two resources with the same name, the first answer counts.
    """


@hookspec(firstresult=True)
def connect_render_template(
    element: Element, resource: Resource, template: str, window: Window
) -> str | Rendered | None:
    """Return the poll URL for one window: `${gmtDate:...}` and the other descriptors filled in.

    The URL must ask for everything that changed at or after `window.start`. The default answer steps back from there as
    `resource.bound` says: by default by one unit of the pattern, because the provider may compare with `>`.

    `templates.parse_template(template).fill(moment)` gives a `Rendered`: the text and the value of each slot. An answer
    that is only text is allowed; then nobody can check or explain the bound, and the user is warned of that.

    Stops at the first answer that is not None.
    """


@hookspec(firstresult=True)
def connect_translate_query(element: Element, resource: Resource, query: Query) -> Params | None:
    """Return a query as provider parameters: the CEQL expression, the page size, and the window if there is one.

    The paginator adds the parameters that set the order.

    Stops at the first answer that is not None.
    """


@hookspec(firstresult=True)
def connect_date_format(element: Element, pattern: str, timezone: str | None) -> Codec | None:
    """Return a codec for one date pattern of the element's records.

    `timezone` is the configured zone of values that name no zone; None if none is configured.
    The hook is asked once per pattern; the codec is then called for each record.

    Stops at the first answer that is not None.
    """


@hookspec(firstresult=True)
def connect_open_sandbox(element: Element) -> ProviderSandbox | None:
    """Return a new sandbox, which fakes the provider: a WSGI application that also has `configuration(base_url)`.

    `connectory.sandbox.Sandbox` is one. What else a sandbox may do is described in `connectory.sandbox.protocol`:
    `consent(authorize_url)`, `credentials`, `step()`, and `break_with(faults)`.

    Stops at the first answer that is not None.
    """


@hookspec
def connect_add_commands(cli: Any) -> None:
    """Add commands to the Typer application `cli`."""


# `app` is Any, because `connectory.App` is built on the hooks: importing its type here would be a cycle.
@hookspec
def connect_engine_starting(app: Any) -> None:
    """An application is about to run for the first time.

    `app` is the `connectory.App`; a plugin may annotate its argument with that type.
    """


@hookspec
def connect_poll_finished(instance: Any, resource: Resource, summary: Mapping[str, Any]) -> None:
    """A poll ended, well or badly: `summary` holds its counts, or its `failure`.

    `instance` has its `id` and `name`. Called in the thread that polled, which waits until the hook returns.
    """


@hookspec
def connect_delivery_finished(notification: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
    """A delivery attempt ended, well or badly.

    `notification` holds its `id` and `instanceId`; `attempt` says whether it was `delivered`, with the HTTP `status`,
    the `error`, the `number` of the attempt, its `duration` in seconds, and `retryAt`. Called in the thread that sent
    it.
    """
