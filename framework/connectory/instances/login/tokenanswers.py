"""What the answers of a token endpoint mean: a token, a refusal that may pass, or a login that is dead."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ...auth import Token
from ...errors import AuthenticationError, ConnectoryError, ProviderError, RetryLaterError
from ...model import retry_after
from ...secrets import Secret, redactor
from .oauthsession import PASSING_ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model import Response

_TOKEN_FIELDS = {"access_token", "refresh_token", "token_type", "expires_in", "expires_at", "scope"}


def checked(response: Response, where: str, is_dead: Callable[[Response], bool]) -> dict[str, Any]:
    """The fields of an answer that holds a token, in the shape that the library takes. Other answers raise an error.

    `is_dead` says whether a refusal means that a person must log in again.
    """
    fields = _json_object(response)
    if response.content_type.endswith("html") or (fields is None and response.status < 300):
        raise RetryLaterError(
            "the token endpoint did not answer with a token",
            where=where,
            hint="the provider may be asleep or down for maintenance: open it in a browser, then try again",
            provider_status=response.status,
        )
    if response.status >= 300 or not fields or not fields.get("access_token"):
        raise _refusal(response, fields or {}, where, is_dead)
    return _cleaned(fields)


def token_of(reply: dict[str, Any], asked_at: datetime) -> Token:
    """The token of a reply that the library has parsed. `asked_at` is when the request was sent."""
    life, refresh, scope = reply.get("expires_in"), reply.get("refresh_token"), reply.get("scope")
    token = Token(
        access_token=Secret(str(reply["access_token"])),
        refresh_token=Secret(str(refresh)) if refresh else None,
        token_type=str(reply.get("token_type", "Bearer")),
        # Counted from before the request, so that the real expiry is never earlier than this.
        expires_at=None if life is None else asked_at + timedelta(seconds=life),
        scope=" ".join(scope) if scope else None,
        # Without the id token: these fields are stored without encryption.
        extra={
            name: value for name, value in reply.items() if name not in _TOKEN_FIELDS and not name.endswith("token")
        },
    )
    redactor.learn(token.access_token, token.refresh_token)
    return token


def _refusal(
    response: Response, fields: dict[str, Any], where: str, is_dead: Callable[[Response], bool]
) -> ConnectoryError:
    said = _said(fields)
    reason = f"the token endpoint answered {response.status}{f': {said}' if said else ''}"
    passing = response.status == 429 or response.status >= 500
    if response.status < 300:
        passing = not fields.get("error") or fields["error"] in PASSING_ERRORS
    if passing:
        return RetryLaterError(
            reason,
            where=where,
            retry_after=retry_after(response),
            provider_message=said or None,
            provider_status=response.status,
        )
    if response.status < 300 or is_dead(response):
        return AuthenticationError(
            f"the provider refused the login{f': {said}' if said else ''}",
            where=where,
            hint="the code or refresh token has expired, or the client id or secret is wrong: log in again",
        )
    return ProviderError(reason, where=where, provider_message=said or None, provider_status=response.status)


def _json_object(response: Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except msgspec.DecodeError:
        return None
    return body if isinstance(body, dict) else None


def _said(fields: dict[str, Any]) -> str:
    """The provider's own words for an error, never the whole body, which may repeat a secret."""
    parts = [str(fields[name]) for name in ("error", "error_description") if fields.get(name)]
    return redactor.scrub(", ".join(parts))[:300]


def _cleaned(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields without empty ones, with the scope as text, and with a lifetime that is a number."""
    kept = {name: value for name, value in fields.items() if value not in (None, "") and name != "expires_at"}
    if isinstance(kept.get("scope"), list):
        kept["scope"] = " ".join(map(str, kept["scope"]))
    life = _seconds(kept.pop("expires_in", None))
    return kept if life is None else {**kept, "expires_in": life}


def _seconds(value: Any) -> int | None:
    """The lifetime of a token in whole seconds; None when it is missing or not credible."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return int(seconds) if math.isfinite(seconds) and 0 < seconds < 1e10 else None
