"""The options and arguments that several commands share, each declared once.

Typer reads these annotations at run time, so commands import them as ordinary names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ElementKey = Annotated[str, typer.Argument(help="The element's key, such as servicenowoauth.")]
InstanceName = Annotated[str, typer.Argument(help="The instance's id or name.")]
ResourceName = Annotated[str, typer.Argument(help="A resource that the instance polls, such as incidents.")]

OnlyInstance = Annotated[str | None, typer.Option("--instance", help="Show only this instance, by id or name.")]
OnlyResource = Annotated[str | None, typer.Option("--resource", help="Show only this resource, such as incidents.")]

File = Annotated[Path | None, typer.Option("--file", help="A file with the JSON body of POST /instances.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Set a configuration value: key=value. Repeatable.")]
Tag = Annotated[list[str] | None, typer.Option("--tag", help="A tag for the instance. Repeatable.")]
Code = Annotated[str | None, typer.Option("--code", help="An authorization code that you obtained elsewhere.")]
Browser = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open a browser for the provider's consent page.")
]
SignatureKey = Annotated[
    str | None,
    typer.Option("--signature-key", envvar="CONNECTORY_SIGNATURE_KEY", help="The key that signs notifications."),
]

Once = Annotated[bool, typer.Option("--once", help="Poll each resource once, deliver, and stop.")]
Duration = Annotated[str | None, typer.Option("--for", help="Stop after this time, such as 30s, 5m or 1h.")]
Fault = Annotated[
    list[str] | None, typer.Option("--fault", help="Make the sandbox misbehave: NAME or NAME=VALUE. Repeatable.")
]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Show at most this many, the newest ones.")]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]
