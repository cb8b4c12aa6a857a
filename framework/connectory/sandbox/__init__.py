"""Fakes a provider in a few lines: a WSGI application that behaves as the provider does.

1. `Sandbox` (app) is the application, with tables and routes. It extends `Provider` (provider), which has the clock,
   the faults, the log of requests, and everything that `connect` asks of a sandbox (protocol). A fake with a store of
   its own extends `Provider` directly.
2. `Table` (lists.table) keeps records with ids and stamps; tests move its `Clock` (clock), and writes may become
   visible late. `Sandbox.resource` serves a table in a style of paging (lists.pages, lists.resource).
3. `OAuth2Server` (oauth) has the login and consent pages and the token endpoints. Its `Authority` (authority) issues
   the tokens; `OAuthSwitches` are its settings.
4. `Faults` (faults) are errors on demand, by name: scripted, drawn by a seed, or on every call. `Switches` (switches)
   are the settings of the provider. Other processes control a sandbox under `/_sandbox/` (control).

With `connectory.testing.transport.wsgi_sessions`, a client talks to a sandbox without a socket.

>>> from connectory.sandbox import NumberedPages, Sandbox, api_key
>>> sandbox = Sandbox()
>>> sandbox.authenticate = api_key("k3y", header="X-Api-Key")
>>> orders = sandbox.table("orders", sample=lambda random, number: {"name": f"Order {number}"}, filled=25)
>>> sandbox.resource("/orders", orders, NumberedPages(size="per_page"), records="items")
>>> from werkzeug.test import Client
>>> body = Client(sandbox).get("/orders?per_page=2&page=13", headers={"X-Api-Key": "k3y"}).json
>>> body["total"], [order["name"] for order in body["items"]]
(25, ['Order 25'])
"""

from .app import Handler, Sandbox, Step, api_key, as_reply, basic
from .authority import Authority, Granted, OAuthClient, OAuthSwitches, Pkce, Token, TokenRefusedError
from .browser import consent
from .call import Call
from .clock import Clock, iso_stamp, parse_moment, utc_now
from .faults import KINDS, ErrorReply, Fault, Faults, Kind
from .lists.pages import (
    AllAtOnce,
    CursorPages,
    Cut,
    KeysetPages,
    LinkedPages,
    NumberedPages,
    OffsetPages,
    Style,
    body_of,
    last_page,
)
from .lists.resource import list_handler, with_faults
from .lists.table import Row, Table, counted_id, hex_id
from .log import Entry, RequestLog
from .oauth import Flow, OAuth2Server, rfc_refusal
from .provider import Provider
from .replies import ApiError, empty_reply, html_reply, json_reply
from .switches import Switches, as_json, changed

__all__ = [
    "KINDS",
    "AllAtOnce",
    "ApiError",
    "Authority",
    "Call",
    "Clock",
    "CursorPages",
    "Cut",
    "Entry",
    "ErrorReply",
    "Fault",
    "Faults",
    "Flow",
    "Granted",
    "Handler",
    "KeysetPages",
    "Kind",
    "LinkedPages",
    "NumberedPages",
    "OAuth2Server",
    "OAuthClient",
    "OAuthSwitches",
    "OffsetPages",
    "Pkce",
    "Provider",
    "RequestLog",
    "Row",
    "Sandbox",
    "Step",
    "Style",
    "Switches",
    "Table",
    "Token",
    "TokenRefusedError",
    "api_key",
    "as_json",
    "as_reply",
    "basic",
    "body_of",
    "changed",
    "consent",
    "counted_id",
    "empty_reply",
    "hex_id",
    "html_reply",
    "iso_stamp",
    "json_reply",
    "last_page",
    "list_handler",
    "parse_moment",
    "rfc_refusal",
    "utc_now",
    "with_faults",
]
