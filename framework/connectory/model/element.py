"""What a plugin knows about a provider: the element, and the resources that its instances offer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from .bound import Bound
from .verdict import Judge, judge_by_status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from marshmallow import Schema

    from ..ratelimits import Limit
    from .endpoint import Config, Endpoint
    from .exchange import Params, Request, Sender
    from .oauth2 import OAuth2
    from .page import Paginator


class FindsDeletes(Protocol):
    """A way to find deletions: an `AuditLog`, a `Feed` or a `Sweep` of `connectory.deletes`."""

    @property
    def caveat(self) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """One list that an instance offers, such as `incidents`.

    `path` is relative to the element's base URL. The `*_field`s are JSON paths into a record; `version_field` is for a
    provider that counts a record's changes. `records_path` is the JSON path of the list in the body; if it is empty,
    the body is the list. `poller` is the default entry of `event.poller.configuration`; without one, the resource is
    polled only if it is configured. `deletes` is one of the ways to find deletions; without one, they are not found.
    `bound` says how the provider reads the lower bound of a poll.

    >>> STAMP = "yyyy-MM-dd'T'HH:mm:ss'Z'"
    >>> orders = Resource(
    ...     name="orders",
    ...     path="/v1/orders",
    ...     records_path="data.items",
    ...     updated_field="updated_at",
    ...     poller={
    ...         "url": f"/hubs/ecommerce/orders?where=updated_at>='${{gmtDate:{STAMP}}}'",
    ...         "idField": "id",
    ...         "datesConfiguration": {"updatedDateField": "updated_at", "updatedDateFormat": STAMP},
    ...     },
    ... )
    >>> orders.id_field, orders.poller["url"]
    ('id', "/hubs/ecommerce/orders?where=updated_at>='${gmtDate:yyyy-MM-dd'T'HH:mm:ss'Z'}'")
    """

    name: str
    path: str
    params: Params = ()
    id_field: str = "id"
    updated_field: str | None = None
    created_field: str | None = None
    version_field: str | None = None
    records_path: str = ""
    paginator: Paginator | None = None
    poller: Mapping[str, Any] | None = None
    deletes: FindsDeletes | None = None
    bound: Bound = field(default_factory=Bound)
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """A provider, as its plugin describes it.

    `config_schema` is a marshmallow schema whose fields are the element's own configuration keys (`data_key` holds the
    dotted name; `metadata={"secret": True}` marks a secret). `probe` is a cheap request that proves that a login works.
    `page_size` is in records.

    A poll stops `settle` before the provider's current time and starts `overlap` before the end of the last poll:
    together they catch records that become visible late.

    `account` makes a cheap request and answers the name of the account that is logged in, or an empty text if the
    provider does not tell; a new login must belong to the same account. `limits` are the rate limits of one account.
    `account_key` names the account for them; by default it is made of the host and the OAuth2 client.

    >>> from marshmallow import Schema
    >>> from connectory.model import Request
    >>> acme = Element(
    ...     key="acme",
    ...     name="Acme Shop",
    ...     hub="ecommerce",
    ...     base_url="https://api.acme.example/v1",
    ...     config_schema=Schema,
    ...     probe=Request(path="/orders", params=(("limit", "1"),)),
    ... )
    >>> acme.settle, acme.overlap, acme.page_size
    (datetime.timedelta(seconds=5), datetime.timedelta(seconds=60), 1000)
    """

    key: str
    name: str
    hub: str
    base_url: Endpoint
    config_schema: type[Schema]
    id: int | None = None
    description: str = ""
    oauth: OAuth2 | None = None
    judge: Judge = judge_by_status
    paginator: Paginator | None = None
    probe: Request | None = None
    headers: tuple[tuple[str, str], ...] = (("Accept", "application/json"),)
    page_size: int = 1000
    settle: timedelta = timedelta(seconds=5)
    overlap: timedelta = timedelta(seconds=60)
    account: Callable[[Sender], str] | None = None
    limits: tuple[Limit, ...] = ()
    account_key: Callable[[Config], str] | None = None
