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

With `@hookimpl(optionalhook=True)` the hook may be one that this version does not have."""

API_VERSION = 2
"""The version of the hooks: goes up when a hook or an argument is renamed or goes away, not when one is added."""

OLDEST_API_VERSION = 1
"""The oldest version whose plugins work: the one before."""

RENAMED = {"connect_startup": "connect_engine_starting"}
"""The hooks of the version before that have another name now."""


@hookspec
def connect_register_elements() -> Sequence[Element]:  # type: ignore[empty-body]
    """Return the elements this plugin provides.

    Asked once, when the plugin is loaded. A key that another plugin registered before quarantines this plugin.
    """


@hookspec(firstresult=True)
def connect_build_auth(element: Element, config: Config, tokens: TokenSource) -> AuthBase | None:
    """Return what signs the requests of one instance.

    An object that also has `renew(prepared) -> bool` is asked for a new token when the provider refuses the one that
    the prepared request carried; True means: send it again.

    Stops at the first answer that is not None.
    """


@hookspec
def connect_list_resources(  # type: ignore[empty-body]
    element: Element, config: Config, client: Client | None
) -> Sequence[Resource]:
    """Return resources that an instance offers.

    `client` is None while the instance is being configured: answer with what is known without asking the provider.

    The answers of all plugins are joined; a name given twice goes to the one that was asked first.
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
    """Return a query as provider parameters: CEQL, page size, and the window where one is given.

    Order is the paginator's business.

    Stops at the first answer that is not None.
    """


@hookspec(firstresult=True)
def connect_date_format(element: Element, pattern: str, timezone: str | None) -> Codec | None:
    """Return a codec for one date pattern of the element's records.

    `timezone` is the zone of values that name none; None where the configuration says nothing.
    Asked once per pattern, then called per record.

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


@hookspec
def connect_engine_starting(app: Any) -> None:
    """An application is about to run for the first time: `app` is its `connectory.App`."""


@hookspec(
    warn_on_impl=DeprecationWarning(
        "connect_startup is called connect_engine_starting now: rename it, version 3 of the hooks drops the old name"
    )
)
def connect_startup(app: Any) -> None:
    """The name of `connect_engine_starting` in version 1. A plugin that has both is told once, under the new name."""


@hookspec
def connect_poll_finished(instance: Any, resource: Resource, summary: Mapping[str, Any]) -> None:
    """A poll ended, well or badly: `summary` holds its counts, or its `failure`.

    `instance` has its `id` and `name`. Called in the thread that polled, which waits for the answer.
    """


@hookspec
def connect_delivery_finished(notification: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
    """A delivery attempt ended, well or badly.

    `notification` holds its `id` and `instanceId`; `attempt` says whether it was `delivered`, with the HTTP `status`,
    the `error`, the `number` of the attempt, its `duration` in seconds, and `retryAt`. Called in the thread that sent.
    """
