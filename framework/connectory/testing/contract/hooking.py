"""Checks: the plugin answers only for its own element, and its answers depend only on the arguments."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marshmallow import Schema
from requests.auth import AuthBase

from ...errors import ConnectoryError, PluginError
from ...hookspecs import hookimpl
from ...model import Element, Query, Resource, Window
from ...plugins import Plugins
from .base import ContractBase
from .failing import broken, demand
from .loading import register

if TYPE_CHECKING:
    from collections.abc import Callable

    from .world import World

_PATTERN = "yyyy-MM-dd HH:mm:ss"


class Hooking(ContractBase):
    def test_answers_for_no_other_element(self, world: World) -> None:
        alone, beside = Plugins(), Plugins()
        register(beside, self)
        for plugins in (alone, beside):
            plugins.register(_Stranger(), "a stranger")
        for hook, ask in _QUESTIONS.items():
            expected, found = _answer(ask, alone, world), _answer(ask, beside, world)
            demand(
                found == expected,
                f"{hook} of this plugin answers for the element of another plugin: {found} instead of {expected}",
                "a plugin that registers no element is asked about all elements: return None unless element.key is the"
                " right one, or move the hook into the module that registers the element",
            )

    def test_hooks_are_answered(self, world: World) -> None:
        try:
            auth: Any = world.client.auth
            resources = world.resources
        except PluginError as error:
            broken(f"a hook fails: {error}", "correct the hook; the traceback of the error shows the place")
        demand(
            callable(auth),
            f"connect_build_auth answers {auth!r}",
            "return a requests AuthBase: BearerAuth, ApiKeyAuth, BasicAuth, SignedAuth or your own",
        )
        demand(resources, "the element has no resources", "return at least one from connect_list_resources")

    def test_resources_are_sound(self, world: World) -> None:
        for name, resource in world.resources.items():
            demand(
                re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name),
                f"{name!r} is not a valid name for a resource, which is part of URLs",
                "use letters, digits, - and _",
            )
            demand(
                resource.path.startswith("/") and "://" not in resource.path,
                f"the path of {name} is {resource.path!r}",
                "start it with /; host and base path belong to Element.base_url",
            )

    def test_poll_urls_name_their_resource(self, world: World, resource: str) -> None:
        url = str(world.entry(resource).get("url", ""))
        path = url.partition("?")[0].strip("/")
        demand(
            path.split("/")[-1] == resource and f"hubs/{world.element.hub}" in path,
            f"the default poll URL of {resource} is {url!r}",
            f"write /hubs/{world.element.hub}/{resource}?where=...",
        )
        demand(
            world.plan(resource).name == resource,
            f"{resource} has no plan",
            "put the name of the resource into the url of its poller entry",
        )

    def test_resources_are_the_same_each_time(self, world: World) -> None:
        first = world.plugins.list_resources(world.element, world.config)
        demand(
            list(first) == list(world.plugins.list_resources(world.element, world.config)),
            "connect_list_resources returns other resources at the second call",
            "make the answer depend only on the configuration",
        )
        for name in self.names():
            demand(
                first[name].poller == world.plugins.list_resources(world.element, world.config)[name].poller,
                f"the poller entry of {name} changes from one call to the next",
                "build the entry at each call, or never change it",
            )

    def test_hooks_leave_their_arguments_alone(self, world: World) -> None:
        before = repr(dict(world.config))
        for name in self.names():
            world.plugins.list_resources(world.element, world.config)
            world.plugins.translate_query(
                world.element, world.resource(name), Query(page_size=10, window=world.window())
            )
        demand(
            repr(dict(world.config)) == before,
            "a hook changes the configuration that it gets",
            "copy the configuration before you change it, because it is shared",
        )


def _answer(ask: Callable[[Plugins], Any], plugins: Plugins, world: World) -> str:
    try:
        return re.sub(r" at 0x[0-9a-f]+", "", repr(ask(plugins)))
    except ConnectoryError as error:
        return f"{type(error).__name__}: {error}"


class _Auth(AuthBase):
    def __repr__(self) -> str:
        return "the stranger's auth"


_STRANGER = Element(
    key="strangers-element", name="Stranger", hub="general", base_url="https://stranger.example", config_schema=Schema
)
_WINDOW = Window(start=datetime(2024, 5, 1, tzinfo=UTC), end=datetime(2024, 5, 2, tzinfo=UTC))
_THINGS = Resource(name="things", path="/things")


class _Stranger:
    """Another plugin, which leaves most hooks to the defaults."""

    @hookimpl
    def connect_register_elements(self) -> list[Element]:
        return [_STRANGER]

    @hookimpl(trylast=True)
    def connect_build_auth(self, element: Element, config: Any, tokens: Any) -> AuthBase:
        return _Auth()

    @hookimpl
    def connect_list_resources(self, element: Element, config: Any, client: Any) -> list[Resource]:
        return [_THINGS]


def _date_answer(plugins: Plugins) -> Any:
    codec = plugins.date_format(_STRANGER, _PATTERN, "Europe/Berlin")
    return codec.format(codec.parse("2024-05-01 10:00:00")), str(codec.parse("2024-05-01 10:00:00"))


_QUESTIONS: dict[str, Callable[[Plugins], Any]] = {
    "connect_build_auth": lambda plugins: plugins.build_auth(_STRANGER, {}, None),  # type: ignore[arg-type]
    "connect_list_resources": lambda plugins: list(plugins.list_resources(_STRANGER, {})),
    "connect_render_template": lambda plugins: plugins.render_template(
        _STRANGER, _THINGS, "/hubs/general/things?where=updated>'${gmtDate:yyyy-MM-dd}'", _WINDOW
    ),
    "connect_translate_query": lambda plugins: plugins.translate_query(_STRANGER, _THINGS, Query(page_size=7)),
    "connect_date_format": _date_answer,
    "connect_open_sandbox": lambda plugins: plugins.open_sandbox(_STRANGER),
}
