"""Logs in from a terminal: opens a browser and waits on this machine for the provider's redirect."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

from .output import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app import AuthorizationFlow, Draft
    from ..auth import Token
    from ..sandbox.protocol import ProviderSandbox
    from .stopping import Stop

# How long a person may take on the provider's pages, in seconds.
PATIENCE = 600


def asker(
    draft: Draft, stop: Stop, *, browser: bool = True, fake: ProviderSandbox | None = None
) -> Callable[[AuthorizationFlow], Token]:
    """The function that asks for consent: it asks the sandbox if there is one, and otherwise a person at a browser."""
    from ..sandbox.protocol import PlaysLogin
    from ..schemas import OAUTH_CALLBACK_URL

    def consent(flow: AuthorizationFlow) -> Token:
        if fake is not None and isinstance(fake, PlaysLogin):
            return flow.finish(fake.consent(flow.start().url))
        return ask(flow, str(draft.config[OAUTH_CALLBACK_URL]), stop, browser=browser)

    return consent


def ask(flow: AuthorizationFlow, callback_url: str, stop: Stop, *, browser: bool = True) -> Token:
    """Send the person to the provider, wait for the redirect, and exchange its code for a token."""
    from ..app import LoopbackListener
    from ..errors import AuthenticationError

    authorization = flow.start()
    with LoopbackListener(callback_url, flow.expects) as listener:
        note("Allow access in your browser. If it does not open by itself, open this address:")
        note(f"  {authorization.url}")
        if browser:
            webbrowser.open(authorization.url)
        for _ in range(PATIENCE):
            answer = listener.wait(1)
            if answer is not None:
                return flow.finish(answer)
            if stop.event.is_set():
                break
    raise AuthenticationError(
        "nobody allowed access", hint="run the command again, or pass an authorization code with --code"
    )
