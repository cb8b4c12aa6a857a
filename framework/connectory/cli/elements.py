"""`connect elements`: the systems that can be connected, and what an instance of one needs."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import pairs, say, say_json, table

if TYPE_CHECKING:
    from ..model import Element
    from ..plugins import Plugins

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(help="Show the elements that are installed.", invoke_without_command=True)
    commands.callback()(list_elements)
    commands.command("show")(show)
    app.add_typer(commands, name="elements")


def list_elements(context: typer.Context, as_json: _Json = False) -> None:
    """List the elements that are installed; `connect elements show KEY` says what one needs."""
    if context.invoked_subcommand is not None:
        return
    from ..plugins import Plugins

    plugins = Plugins.load()
    found = [
        {"key": element.key, "name": element.name, "hub": element.hub, "plugin": plugins.owner_of(element.key)}
        for element in plugins.elements()
    ]
    if as_json:
        say_json(found)
        return
    table(("key", "name", "hub", "plugin"), [tuple(element.values()) for element in found])


def show(key: Annotated[str, typer.Argument(help="The element's key.")], as_json: _Json = False) -> None:
    """Show an element's configuration keys, its resources and how they are polled.

    Example: connect elements show servicenowoauth
    """
    from ..plugins import Plugins

    plugins = Plugins.load()
    described = describe(plugins.element(key), plugins)
    if as_json:
        say_json(described)
        return
    pairs({name: described[name] for name in ("key", "name", "hub", "description", "plugin")})
    say()
    columns = ("key", "required", "default", "secret", "description")
    table(columns, [tuple(_shown(entry[name]) for name in columns) for entry in described["configuration"]])
    say()
    for resource in described["resources"]:
        say(f"{resource['name']}  {resource['path']}")
        if resource["poller"]:
            say(f"    {json.dumps(resource['poller'])}")


def describe(element: Element, plugins: Plugins) -> dict[str, Any]:
    from ..schemas import configuration_schema, default_configuration

    fields = configuration_schema(element).fields.values()
    return {
        "key": element.key,
        "name": element.name,
        "hub": element.hub,
        "description": element.description,
        "plugin": plugins.owner_of(element.key),
        "configuration": sorted(
            (_key(field) for field in fields), key=lambda entry: (not entry["required"], entry["key"])
        ),
        "resources": [
            {"name": resource.name, "path": resource.path, "poller": dict(resource.poller) if resource.poller else None}
            for resource in plugins.list_resources(element, default_configuration(element)).values()
        ],
    }


def _key(field: Any) -> dict[str, Any]:
    from ..schemas import default_of

    default = default_of(field)
    return {
        "key": field.data_key,
        "type": type(field).__name__,
        "required": field.required,
        "default": default.total_seconds() / 60 if isinstance(default, timedelta) else default,
        "secret": bool(field.metadata.get("secret")),
        "description": field.metadata.get("description", ""),
    }


def _shown(value: Any) -> Any:
    return {True: "yes", False: ""}.get(value, value) if isinstance(value, bool) else value
