"""`connect listen`: a receiver for notifications on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from .options import JsonLines, Port, SignatureKey
from .output import say, say_json

if TYPE_CHECKING:
    from ..receiver.receiver import Received

_Status = Annotated[int, typer.Option(min=200, max=599, help="The HTTP status to answer with.")]


def register(app: typer.Typer) -> None:
    app.command("listen")(listen)


def listen(
    port: Port = 8080,
    signature_key: SignatureKey = None,
    status: _Status = 200,
    as_json: JsonLines = False,
) -> None:
    """Receive notifications, verify their signatures, and print them, until Ctrl-C.

    Example: connect listen --port 8080 --signature-key SOME_KEY
    """
    from ..receiver.receiver import Receiver
    from ..sandbox.serving import Served
    from .stopping import Stop

    keys = [signature_key.encode()] if signature_key else []
    receiver = Receiver(keys, lambda received: _print(received, as_json=as_json), status=status)
    with Stop() as stop, Served(receiver, port) as served:
        if as_json:
            say_json({"kind": "listening", "url": served.url})
        else:
            say(f"Listening on {served.url}; signatures are {'verified' if keys else 'not verified without a key'}")
        stop.wait()


def _print(received: Received, *, as_json: bool) -> None:
    shown = {
        "kind": "notification",
        "id": received.id,
        "verified": received.verified,
        "reason": received.reason,
        "duplicate": received.duplicate,
        "outOfOrder": list(received.out_of_order),
        "events": list(received.events),
    }
    if as_json:
        say_json(shown)
        return
    mark = "verified" if received.verified else f"NOT VERIFIED: {received.reason}"
    repeat = ", received before" if received.duplicate else ""
    say(f"notification {received.id} ({mark}{repeat})")
    for event in received.events:
        say(f"  {event.get('objectType')} {event.get('eventType')} {event.get('objectId')} #{event.get('sequence')}")
    for event in received.out_of_order:
        say(f"  out of order: {json.dumps(event)}")
