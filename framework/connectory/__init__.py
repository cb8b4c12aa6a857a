"""Connectory: a plugin-based connector framework.

These are the public names. They are loaded when they are first used, so that a command line that needs few of them
starts fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app import App
    from .app import open_app as open  # noqa: A004 - `connectory.open` is what a program calls
    from .auth import ApiKeyAuth, BasicAuth, BearerAuth, Token, TokenSource
    from .ceql import parse as parse_ceql
    from .dates import Codec, compile_pattern
    from .deletes import AuditLog, Counts, Feed, LogPart, Sweep, total_in_body, total_in_header
    from .errors import (
        AuthenticationError,
        ConfigurationError,
        ConnectoryError,
        NotFoundError,
        PluginError,
        ProviderError,
        QueryError,
        RetryLaterError,
    )
    from .hookspecs import hookimpl
    from .http import Client
    from .model import (
        Action,
        Config,
        Element,
        Endpoint,
        OAuth2,
        Page,
        Paginator,
        Params,
        Pkce,
        Query,
        Request,
        Resource,
        Response,
        Verdict,
        Window,
        judge_by_status,
    )
    from .paging import (
        CursorInBody,
        Keyset,
        NextLinkInBody,
        NextLinkInHeader,
        Offset,
        PageNumber,
        SinglePage,
    )
    from .ratelimits import Limit
    from .secrets import Secret
    from .signing import SignedAuth
    from .translate import Encoder, to_params
    from .verdicts import (
        auth_error,
        error_array,
        error_field,
        judges,
        message_at,
        page_instead_of_json,
        quota,
        statuses,
    )

__version__ = "0.1.0"

_HOMES = {
    "app": ("App",),
    "auth": ("ApiKeyAuth", "BasicAuth", "BearerAuth", "Token", "TokenSource"),
    "dates": ("Codec", "compile_pattern"),
    "deletes": ("AuditLog", "Counts", "Feed", "LogPart", "Sweep", "total_in_body", "total_in_header"),
    "errors": (
        "AuthenticationError",
        "ConfigurationError",
        "ConnectoryError",
        "NotFoundError",
        "PluginError",
        "ProviderError",
        "QueryError",
        "RetryLaterError",
    ),
    "hookspecs": ("hookimpl",),
    "http": ("Client",),
    "model": (
        "Action",
        "Config",
        "Element",
        "Endpoint",
        "OAuth2",
        "Page",
        "Paginator",
        "Params",
        "Pkce",
        "Query",
        "Request",
        "Resource",
        "Response",
        "Verdict",
        "Window",
        "judge_by_status",
    ),
    "ratelimits": ("Limit",),
    "paging": (
        "CursorInBody",
        "Keyset",
        "NextLinkInBody",
        "NextLinkInHeader",
        "Offset",
        "PageNumber",
        "SinglePage",
    ),
    "secrets": ("Secret",),
    "signing": ("SignedAuth",),
    "translate": ("Encoder", "to_params"),
    "verdicts": (
        "auth_error",
        "error_array",
        "error_field",
        "judges",
        "message_at",
        "page_instead_of_json",
        "quota",
        "statuses",
    ),
}
_RENAMED = {"parse_ceql": ("ceql", "parse"), "open": ("app", "open_app")}
_WHERE = {name: (home, name) for home, names in _HOMES.items() for name in names} | _RENAMED

__all__ = [
    "Action",
    "ApiKeyAuth",
    "App",
    "AuditLog",
    "AuthenticationError",
    "BasicAuth",
    "BearerAuth",
    "Client",
    "Codec",
    "Config",
    "ConfigurationError",
    "ConnectoryError",
    "Counts",
    "CursorInBody",
    "Element",
    "Encoder",
    "Endpoint",
    "Feed",
    "Keyset",
    "Limit",
    "LogPart",
    "NextLinkInBody",
    "NextLinkInHeader",
    "NotFoundError",
    "OAuth2",
    "Offset",
    "Page",
    "PageNumber",
    "Paginator",
    "Params",
    "Pkce",
    "PluginError",
    "ProviderError",
    "Query",
    "QueryError",
    "Request",
    "Resource",
    "Response",
    "RetryLaterError",
    "Secret",
    "SignedAuth",
    "SinglePage",
    "Sweep",
    "Token",
    "TokenSource",
    "Verdict",
    "Window",
    "auth_error",
    "compile_pattern",
    "error_array",
    "error_field",
    "hookimpl",
    "judge_by_status",
    "judges",
    "message_at",
    "open",
    "page_instead_of_json",
    "parse_ceql",
    "quota",
    "statuses",
    "to_params",
    "total_in_body",
    "total_in_header",
]


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _WHERE[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(importlib.import_module(f".{module}", __name__), attribute)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
