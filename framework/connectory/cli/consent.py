"""Logs in from a terminal: a browser, and a listener on this machine for its answer."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

from .output import note

if TYPE_CHECKING:
    from ..app import AuthorizationFlow
    from ..auth import Token
    from .stopping import Stop

# Seconds that a person has for the provider's pages.
PATIENCE = 600


def ask(flow: AuthorizationFlow, callback_url: str, stop: Stop, *, browser: bool = True) -> Token:
    """Send the person to the provider and wait for what the redirect brings."""
    from ..app import LoopbackListener
    from ..errors import AuthenticationError

    authorization = flow.start()
    with LoopbackListener(callback_url, flow.expects) as listener:
        note("Allow the access in your browser. If none opens, open this address in one:")
        note(f"  {authorization.url}")
        if browser:
            webbrowser.open(authorization.url)
        for _ in range(PATIENCE):
            answer = listener.wait(1)
            if answer is not None:
                return flow.finish(answer)
            if stop.event.is_set():
                break
    raise AuthenticationError("nobody has allowed the access", hint="run the command again, or bring a --code")
