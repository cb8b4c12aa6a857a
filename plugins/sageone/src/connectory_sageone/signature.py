"""The signature of a request to API v3: that of OAuth1, with Sage's changes."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlsplit

from connectory.secrets import Secret, reveal
from connectory.signing import SignedAuth, random_nonce

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from requests import PreparedRequest
    from requests.auth import AuthBase

NONCE, SIGNATURE, SITE = "X-Nonce", "X-Signature", "X-Site"

_PORTS = {"https": 443, "http": 80}


def signed(inner: AuthBase, secret: Secret, nonce: Callable[[], str] = random_nonce) -> SignedAuth:
    """`inner` adds the token and the site to the headers, which are signed as well."""
    return SignedAuth(
        secret=lambda request: signing_key(reveal(secret), _token(request)),
        base_string=_base_string_of,
        signature_header=SIGNATURE,
        nonce_header=NONCE,
        digest="sha1",
        inner=inner,
        nonce=nonce,
    )


def signing_key(secret: str, token: str) -> str:
    return f"{_encoded(secret)}&{_encoded(token)}"


def base_string(method: str, url: str, params: Iterable[tuple[str, str]], nonce: str, site: str | None = None) -> str:
    """`params` are those of the query and of the body. Only v3 adds the site."""
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in params)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    parts = [method.upper(), _encoded(_base_url(url)), _encoded(joined), _encoded(nonce)]
    return "&".join(parts if site is None else [*parts, _encoded(site)])


def body_param(body: bytes) -> tuple[str, str]:
    """The body as a parameter, which is empty if there is no body."""
    return "body", base64.b64encode(body).decode()


def _base_string_of(request: PreparedRequest, nonce: str) -> str:
    body = request.body or b""
    params = parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True)
    sent = body_param(body.encode() if isinstance(body, str) else body)
    return base_string(
        str(request.method), str(request.url), [*params, sent], nonce, str(request.headers.get(SITE, ""))
    )


def _token(request: PreparedRequest) -> str:
    return str(request.headers.get("Authorization", "")).removeprefix("Bearer ")


def _base_url(url: str) -> str:
    """The URL without its query and in lower case, as the server compares it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = host if parts.port in {None, _PORTS.get(parts.scheme)} else f"{host}:{parts.port}"
    return f"{parts.scheme}://{named}{parts.path}".lower()


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")
