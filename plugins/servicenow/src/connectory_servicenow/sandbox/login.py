"""The OAuth server: its users, and ServiceNow's pages for login and consent."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from connectory import sandbox as base
from connectory.sandbox import Authority, Flow, OAuth2Server, TokenRefusedError, json_reply

from . import pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .instance import Instance

USER = "integration"
"""The user who allows the access in `Sandbox.consent`."""

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, kw_only=True)
class OAuthClient(base.OAuthClient):
    """If no URL is registered, codes are sent to any URL on this machine."""

    user_name: str = "admin"
    """The user of the grant `client_credentials`."""

    def redirect_for(self, wanted: str) -> str:
        """A URL that is not registered is replaced by the first one that is."""
        if not self.redirect_uris:
            return wanted if urlsplit(wanted).hostname in _LOOPBACK else ""
        return wanted if wanted in self.redirect_uris else self.redirect_uris[0]


@dataclass(kw_only=True)
class InstanceAuthority(Authority):
    """People are records of the instance: a user is a `sys_id`. `people` has passwords by user name; whoever is not
    listed logs in with their own name.
    """

    instance: Instance

    def log_in(self, user: str, password: str) -> str:
        return self.instance.log_in(user, password)

    def is_active(self, user: str) -> bool:
        return self.instance.active_user(user) is not None

    def user_for(self, client: base.OAuthClient) -> str:
        found = self.instance.user_named(client.user_name) if isinstance(client, OAuthClient) else None
        return found.sys_id if found else ""

    def seconds_left(self, token: base.Token) -> int | None:
        if token.expires_at is None:
            return None
        return max(0, math.ceil((token.expires_at - self.clock.now()).total_seconds()) - 1)


@dataclass(kw_only=True)
class InstanceLogin(OAuth2Server):
    instance: Instance

    @property
    def switches(self) -> base.OAuthSwitches:
        return self.authority.switches

    @switches.setter
    def switches(self, switches: base.OAuthSwitches) -> None:
        self.instance.switches = replace(self.instance.switches, oauth=switches)

    def begin(self, request: Request) -> Flow | Response:
        if request.args.get("response_type") != "code":
            return self.error_page("Invalid client_id or response_type")
        if self.switches.state_required and not request.args.get("state"):
            return self.error_page("Missing State parameter in request")
        return super().begin(request)

    def login_page(self, request: Request, complaint: str = "") -> Response:
        return pages.login(request.full_path, complaint)

    def consent_page(self, flow: Flow, user: str, guard: str) -> Response:
        person = self.instance.active_user(user)
        name = person["name"] if person else ""
        return pages.consent(flow.request.full_path, flow.client.client_id, name, guard)

    def error_page(self, text: str) -> Response:
        return pages.message(text, 400)

    def without_challenge(self, flow: Flow) -> Response:
        return flow.answer(error="invalid_request")


def open_login(instance: Instance) -> InstanceLogin:
    authority = InstanceAuthority(
        clock=instance.clock,
        switches=instance.switches.oauth,
        instance=instance,
        people={USER: USER},
        make_code=lambda: secrets.token_urlsafe(64),
        make_token=lambda user, kind, now, life: secrets.token_urlsafe(64),
    )
    authority.register(OAuthClient())

    def fields(_: Any) -> Mapping[str, Any]:
        return {"scope": authority.switches.scope, "token_type": "Bearer"}

    return InstanceLogin(
        authority=authority,
        instance=instance,
        authorize_path="/oauth_auth.do",
        token_path="/oauth_token.do",
        revoke_path="/oauth_revoke_token.do",
        user_field="user_name",
        password_field="user_password",
        guard_field="sysparm_ck",
        refusal=_refusal,
        token_fields=fields,
        revoked=lambda: Response(status=200),
    )


def _refusal(_: TokenRefusedError) -> Response:
    # The caller never sees the true reason of a refusal.
    return json_reply({"error_description": "access_denied", "error": "server_error"}, 401)
