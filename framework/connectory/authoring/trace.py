"""Asks the hooks of one element as a poll would, but without a provider, and notes which plugin answered what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import ConnectoryError, NotFoundError
from ..model import Window
from ..plans.compiling import compile_plan
from ..plans.entries import default_entries
from .trying import NoTokens, configuration_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..model import Element, Resource
    from ..plugins import Plugins
    from ..plugins.trace import HookCall

_SPAN = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """The questions in the order in which they were asked.

    `resource` is the resource whose poll was prepared, or None if the element polls nothing. `ended` is the error that
    stopped the questions early.
    """

    calls: tuple[HookCall, ...]
    resource: str | None
    ended: ConnectoryError | None = None


def trace(plugins: Plugins, key: str, now: datetime, resource: str | None = None) -> Trace:
    """Ask for the sandbox, the auth, the resources, and what the next poll of a resource would send.

    Without a named resource, this takes the first one that is polled by default. Nothing is sent.
    """
    element, chosen, ended = plugins.element(key), resource, None
    with plugins.watched() as calls:
        try:
            chosen = _ask(plugins, element, now, resource)
        except NotFoundError:
            raise
        except ConnectoryError as error:
            ended = error
    return Trace(calls=tuple(calls), resource=chosen, ended=ended)


def _ask(plugins: Plugins, element: Element, now: datetime, name: str | None) -> str | None:
    config = configuration_of(element, plugins.open_sandbox(element))
    plugins.build_auth(element, config, NoTokens())
    resources = plugins.list_resources(element, config)
    chosen = _chosen(element, resources, name)
    if chosen is None:
        return None
    [entry] = default_entries(element, [chosen], resources).values()
    plan = compile_plan(chosen, entry, element=element, resources=resources, plugins=plugins)
    plan.request(Window(start=now - _SPAN, end=now))
    return chosen


def _chosen(element: Element, resources: Mapping[str, Resource], name: str | None) -> str | None:
    polled = [one.name for one in resources.values() if one.poller]
    if name is None:
        return polled[0] if polled else None
    if name in polled:
        return name
    raise NotFoundError(
        f"{element.key} does not poll {name!r} by default", where="--resource", hint=f"it polls {', '.join(polled)}"
    )
