"""Ready-made authentication for providers that need a signature (HMAC) on each request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from requests.auth import AuthBase

from .secrets import Secret, redactor, reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest


def random_nonce() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, kw_only=True, eq=False)
class SignedAuth(AuthBase):
    """Signs each request: `signature_header: <HMAC of the base string>`.

    `base_string(request, nonce)` answers the text to sign; the request has its final URL, headers and body.
    `secret` is the key, or a function that makes the key for a request. `nonce` makes a new text for each request,
    which is sent in `nonce_header`; without that header, the base string gets an empty nonce.
    `digest` is a hash that hashlib knows; `encoding` is how the signature is written.
    `inner` is a second authentication (`BearerAuth`, `ApiKeyAuth`, ...): it is applied first, and it renews tokens.

    >>> import requests
    >>> auth = SignedAuth(secret=Secret("s3cret"), signature_header="X-Signature", encoding="hex",
    ...     base_string=lambda request, nonce: f"{request.method}\\n{request.path_url}")
    >>> request = requests.Request("GET", "https://api.example.com/things?page=1").prepare()
    >>> auth(request).headers["X-Signature"][:16]
    '7b7a9e8f45074bbe'
    """

    secret: Secret | str | Callable[[PreparedRequest], str]
    base_string: Callable[[PreparedRequest, str], str]
    signature_header: str = "X-Signature"
    nonce_header: str | None = None
    digest: str = "sha256"
    encoding: Literal["base64", "hex"] = "base64"
    inner: AuthBase | None = None
    nonce: Callable[[], str] = random_nonce

    def __post_init__(self) -> None:
        if not callable(self.secret):
            redactor.learn(self.secret)
        hashlib.new(self.digest)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.inner is not None:
            request = self.inner(request)
        nonce = self.nonce() if self.nonce_header else ""
        if self.nonce_header:
            request.headers[self.nonce_header] = nonce
        request.headers[self.signature_header] = self._signature(request, nonce)
        return request

    def renew(self, prepared: PreparedRequest) -> bool:
        """Renew the token of the inner authentication; True means that the request can be sent again."""
        renew: Callable[[PreparedRequest], bool] | None = getattr(self.inner, "renew", None)
        return renew is not None and renew(prepared)

    def __repr__(self) -> str:
        return f"SignedAuth(signature_header={self.signature_header!r}, inner={self.inner!r})"

    def _signature(self, request: PreparedRequest, nonce: str) -> str:
        key = self.secret(request) if callable(self.secret) else reveal(self.secret)
        made = hmac.new(key.encode(), self.base_string(request, nonce).encode(), self.digest).digest()
        return base64.b64encode(made).decode() if self.encoding == "base64" else made.hex()
