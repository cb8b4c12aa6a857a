"""What a plugin's author needs to fake a provider in a few lines: a WSGI application with a provider's habits.

1. `Sandbox` (app) is the application: tables and routes, on top of a `Provider` (provider), which has the clock, the
   faults, the log of requests, and what `connect` asks of a sandbox. A provider with a store of its own extends that.
2. A `Table` (table) keeps records with ids and stamps, of a `Clock` (clock) that tests move; writes may become visible
   late. `Sandbox.resource` serves one in a style of paging (pages, resource).
3. `OAuth2Server` (oauth) has the pages to log in and to allow, and the endpoints for tokens; its `Authority`
   (authority) hands them out as `OAuthSwitches` say.
4. `Faults` (faults) go wrong on demand, by name: scripted, drawn by a seed, or always. `Switches` are what the provider
   is like. Other processes reach all of it under `/_sandbox/` (control).

`connectory.testing.transport.wsgi_sessions` lets a client talk to a sandbox without a socket.

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
