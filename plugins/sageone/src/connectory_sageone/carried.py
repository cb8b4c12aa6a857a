"""The headers of a request to Sage: the token, and the business that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectory.auth import BearerAuth
from connectory.secrets import redactor, reveal

from . import signature
from .addresses import is_v3
from .configuration import BUSINESS, SIGNING_SECRET, SITE, SUBSCRIPTION_KEY

if TYPE_CHECKING:
    from requests import PreparedRequest
    from requests.auth import AuthBase

    from connectory.auth import TokenSource
    from connectory.model import Config


def build(config: Config, tokens: TokenSource) -> AuthBase:
    if not is_v3(config):
        return BusinessAuth(config.get(BUSINESS) or "", tokens)
    inner = SiteAuth(config.get(SITE) or "", reveal(config.get(SUBSCRIPTION_KEY)), tokens)
    secret = config.get(SIGNING_SECRET)
    return signature.signed(inner, secret) if secret else inner


class BusinessAuth(BearerAuth):
    """v3.1: `X-Business`. Without it, Sage uses the lead business, which may change at any time. If no business is
    configured, it is therefore the one that was the lead at the login."""

    def __init__(self, business: str, tokens: TokenSource) -> None:
        super().__init__(tokens)
        self._business = business
        self._source = tokens

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        business = self._business or self._source.current().account or ""
        if business:
            request.headers["X-Business"] = business
        return super().__call__(request)


class SiteAuth(BearerAuth):
    """v3: the subscription key, and `X-Site`, which comes with the token."""

    def __init__(self, site: str, subscription_key: str, tokens: TokenSource) -> None:
        super().__init__(tokens)
        redactor.learn(subscription_key)
        self._site = site
        self._key = subscription_key
        self._source = tokens

    @property
    def site(self) -> str:
        token = self._source.current()
        # A renewed token may lack the site; then it is the one of the login.
        return str(token.extra.get(SITE) or token.account or self._site)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["ocp-apim-subscription-key"] = self._key
        request.headers[signature.SITE] = self.site
        return super().__call__(request)
