"""The facts that the rest of Connectory passes around: frozen, keyword-only, without I/O.

1. `element`, `bound`, `oauth2` and `endpoint`: what a plugin knows about a provider and its resources.
   `element` also has the defaults of page size, settle time and overlap.
2. `exchange`, `verdict` and `page`: a request, the response, what to do with it, and the walk through a list.
3. `entry` and `query`: what an instance is configured to poll, and what one poll asks for.
4. `event`: the kinds of events that a poll finds.

Everything is imported from here: `from connectory.model import Element`.
"""

from .bound import Bound
from .element import Element, FindsDeletes, Resource
from .endpoint import Config, Endpoint, resolve_endpoint
from .entry import DatesConfiguration, PollerEntry, TrackChanges, TrackDeletes
from .event import EventType
from .exchange import Params, Request, Response, Sender
from .oauth2 import OAuth2, Pkce
from .page import Page, Paginator, Place
from .query import Query, Window
from .verdict import ACCEPT, Action, Judge, Verdict, judge_by_status, retry_after

__all__ = [
    "ACCEPT",
    "Action",
    "Bound",
    "Config",
    "DatesConfiguration",
    "Element",
    "Endpoint",
    "EventType",
    "FindsDeletes",
    "Judge",
    "OAuth2",
    "Page",
    "Paginator",
    "Params",
    "Pkce",
    "Place",
    "PollerEntry",
    "Query",
    "Request",
    "Resource",
    "Response",
    "Sender",
    "TrackChanges",
    "TrackDeletes",
    "Verdict",
    "Window",
    "judge_by_status",
    "resolve_endpoint",
    "retry_after",
]
