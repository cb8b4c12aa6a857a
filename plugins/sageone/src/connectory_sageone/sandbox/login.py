"""Sage's login: codes start with the country, tokens look like JWTs, and errors are always 400."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING, Any

from connectory.sandbox import (
    Authority,
    Clock,
    Granted,
    OAuth2Server,
    OAuthSwitches,
    TokenRefusedError,
    html_reply,
    json_reply,
)

from .switches import SITE, SageSwitches

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from werkzeug.wrappers import Request, Response

USER = "ann@example.com"
USER_ID = "7d3a5c1e-4b2f-4e6a-9c8d-1f0e2d3c4b5a"
_MONTH = 2_678_400
_SIGNATURE_BYTES = 512


class SageLogin(OAuth2Server):
    """Refuse a request without the country or the API: v3.1 would show a page of flags, which the sandbox lacks."""

    needs_filter = True

    def authorize(self, request: Request) -> Response:
        if self.needs_filter and request.args.get("filter") != "apiv3.1" and not request.args.get("country"):
            return html_reply("Choose your country", "filter=apiv3.1 or country is missing", 400)
        return super().authorize(request)


def open_login(clock: Clock, switches: SageSwitches) -> SageLogin:
    return _v3(clock, switches) if switches.api == "v3" else _v31(clock, switches)


def _v31(clock: Clock, switches: SageSwitches) -> SageLogin:
    habits = OAuthSwitches(client_auth="body", pkce_plain=True, access_ttl=300, refresh_ttl=_MONTH, code_ttl=60)
    authority = Authority(
        clock=clock,
        switches=habits,
        people={USER: "sandbox"},
        make_code=lambda: f"{switches.country.upper()}/{secrets.token_hex(20)}",
        make_token=_jwt(switches.country),
    )
    return SageLogin(
        authority=authority,
        authorize_path="/oauth2/auth/central",
        token_path="/token",
        revoke_path="/revoke",
        refusal=refusal,
        token_fields=_fields_of_v31,
        redirect_fields=lambda _request: {"country": switches.country.upper()},
        revoked=lambda: json_reply({"success": "ok"}),
    )


def _v3(clock: Clock, switches: SageSwitches) -> SageLogin:
    habits = OAuthSwitches(client_auth="body", pkce="off", access_ttl=3600, refresh_ttl=None, rotate_refresh=False)
    login = SageLogin(
        authority=Authority(clock=clock, switches=habits, people={USER: "sandbox"}),
        authorize_path="/oauth2/auth",
        token_path=f"/{switches.country}/token",
        revoke_path=f"/{switches.country}/revoke",
        refusal=refusal,
        token_fields=lambda _granted: {"resource_owner_id": SITE},
        redirect_fields=lambda _request: {"country": switches.country.upper()},
        revoked=lambda: json_reply({}),
    )
    login.needs_filter = False
    return login


def refusal(error: TokenRefusedError) -> Response:
    return json_reply({"error": error.error, "error_description": error.description}, 400)


def _fields_of_v31(granted: Granted) -> Mapping[str, Any]:
    return {"refresh_token_expires_in": _MONTH, "requested_by_id": USER_ID}


def _jwt(country: str) -> Any:
    def make(user: str, kind: str, now: datetime, life: float | None) -> str:
        issued = int(now.timestamp())
        claims = {
            "jti": secrets.token_hex(16),
            "iat": issued,
            "exp": issued + int(life or 0),
            "iss": "oauth.accounting.sage.com",
            "sub": USER_ID,
            "aud": "api.accounting.sage.com" if kind == "access" else "oauth.accounting.sage.com",
            "azp": user,
            "country": country.lower(),
            "scopes": ["accounts:rw", "accounting:rw", "core:rw"],
        }
        header = {"alg": "RS512", "typ": "JWT", "kid": "sandbox"}
        parts = [json.dumps(part).encode() for part in (header, claims)] + [secrets.token_bytes(_SIGNATURE_BYTES)]
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    return make
