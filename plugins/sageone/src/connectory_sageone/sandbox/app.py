"""The WSGI application: Sage's paths on top of the sandbox base."""

from __future__ import annotations

import base64
import hmac
from random import Random
from typing import TYPE_CHECKING, Any

from connectory.sandbox import (
    ApiError,
    Call,
    Kind,
    OAuthClient,
    Row,
    Sandbox,
    Table,
    empty_reply,
    json_reply,
)

from ..signature import base_string, body_param, signing_key
from . import errors
from .lists import Listing
from .login import USER, USER_ID, open_login
from .records import BUSINESS, LEGACY_ID, base_of, reference, shown, with_texts
from .schema import CODES, COLLECTIONS, Collection
from .switches import BUSINESSES, SIGNING_SECRET, SITE, SUBSCRIPTION_KEY, SageSwitches
from .writes import check_required, stored, unwrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from werkzeug.wrappers import Request, Response

_KINDS = {
    "no_subscription": Kind(
        description="401 because the business has no subscription; a new token does not help",
        instead=lambda fault, error, now: error(401, "No active subscription was found for this business."),
    ),
    "role_too_low": Kind(
        description="403 because of the user's role",
        instead=lambda fault, error, now: error(403, "You do not have permission to do this."),
    ),
}


class SageSandbox(Sandbox):
    """A fake Sage. `insert`, `update`, `delete` and `void` are for tests, which change records with them."""

    def __init__(self, clock: Callable[[], datetime], seed: int, switches: SageSwitches) -> None:
        super().__init__(clock=clock, seed=seed, switches=switches, kinds=_KINDS)
        self.api: str = switches.api
        self.login = self.oauth = open_login(self.clock, switches)
        self.login.authority.register(OAuthClient())
        self.authenticate = self._caller
        self.error_body = errors.error_body
        self.configure = self._configuration
        self.finish = self._label
        self.collections = {collection.name: collection for collection in COLLECTIONS}
        self.replayed: dict[str, str] = {}
        """Records by the idempotency id of the request that created them."""
        for collection in COLLECTIONS:
            self.table(collection.name)
            self._open(collection)
        for name, codes in CODES.items():
            self._open_codes(name, codes)
        self._open_single_ones()

    @property
    def base(self) -> str:
        """The path that all other paths start with."""
        return f"/{self.switches.country}/sageone/accounts/v3" if self.api == "v3" else "/v3.1"

    # For tests

    def insert(self, name: str, values: Mapping[str, Any], *, business: int = 0, at: datetime | None = None) -> Row:
        """Add a record; `values` are as stored, with objects as references (see `refer`)."""
        with self.lock:
            table, collection = self.tables[name], self.collections[name]
            number = table.made + 1
            made = {BUSINESS: BUSINESSES[business], LEGACY_ID: number, **with_texts(dict(values))}
            record_id = str(made.get("id") or f"{Random(f'{self.seed} {name} {number}').getrandbits(128):032x}")
            made |= {"id": record_id, "$path": f"{collection.path}/{record_id}"}
            return table.insert({"displayed_as": collection.display(made), **made}, at=at)

    def update(self, name: str, record_id: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Row:
        with self.lock:
            table = self.tables[name]
            changed = {**table.written[record_id], **with_texts(dict(values))}
            return table.update(record_id, {**values, "displayed_as": self.collections[name].display(changed)}, at=at)

    def delete(self, name: str, record_id: str, *, at: datetime | None = None) -> Row:
        return self.tables[name].delete(record_id, at=at)

    def void(self, name: str, record_id: str, reason: str) -> Row:
        """Void an invoice or a credit note; Sage never deletes them."""
        status = reference("/artefact_statuses", "VOID", "Void")
        return self.update(name, record_id, {"status": status, "void_reason": reason, "outstanding_amount": "0.0"})

    def refer(self, name: str, record_id: str) -> dict[str, str] | None:
        """A reference to a record or a code; None if there is no such record."""
        if name in CODES:
            text = CODES[name].get(record_id)
            return None if text is None else reference(f"/{name}", record_id, text)
        table = self.tables.get(name)
        row = None if table is None else table.written.get(record_id)
        if table is None:
            return reference(f"/{name}", record_id, record_id.replace("_", " ").title())
        return None if row is None else base_of(row)

    # Authentication

    def _caller(self, request: Request) -> str:
        user = self._by_token(request)
        if self.api == "v3":
            self._check_site(request)
            request.environ["sage.business"] = BUSINESSES[0]
        else:
            request.environ["sage.business"] = self._business(request)
        token = request.headers["Authorization"].partition(" ")[2]
        if request.method != "GET" and self.login.authority.scope_of(token) == "readonly":
            raise errors.forbidden()
        return user

    def _by_token(self, request: Request) -> str:
        try:
            return super()._by_token(request)
        except ApiError:
            raise errors.unauthorized() from None

    def _business(self, request: Request) -> str:
        wanted = request.headers.get("X-Business") or BUSINESSES[self.switches.lead]
        if wanted not in BUSINESSES or BUSINESSES.index(wanted) in self.switches.closed_businesses:
            raise errors.forbidden()
        return wanted

    def _check_site(self, request: Request) -> None:
        if request.headers.get("ocp-apim-subscription-key") != SUBSCRIPTION_KEY:
            raise errors.unauthorized("Access denied due to missing or invalid subscription key.")
        if request.headers.get("X-Site") != SITE:
            raise errors.forbidden()
        if self.switches.needs_signature and not _is_signed(request):
            raise errors.unauthorized("The signature is not valid.")

    def _label(self, reply: Response, call: Call) -> None:
        business = call.request.environ.get("sage.business")
        if (
            business
            and self.api == "v3.1"
            and call.request.path not in {f"{self.base}/user", f"{self.base}/businesses"}
        ):
            reply.headers["X-Business"] = business

    def _configuration(self, base_url: str) -> Mapping[str, Any]:
        addresses = {
            "oauth.authorization.url": f"{base_url}{self.login.authorize_path}",
            "oauth.token.url": f"{base_url}{self.login.token_path}",
            "oauth.token.revoke_url": f"{base_url}{self.login.revoke_path}",
        }
        if self.api == "v3.1":
            return {"base.url": f"{base_url}{self.base}", **addresses}
        return {
            "sageone.api": "v3",
            "base.url": f"{base_url}{self.base.removesuffix('/accounts/v3')}",
            "country": self.switches.country.upper(),
            "apim.subscription.key": SUBSCRIPTION_KEY,
            "signature.secret": SIGNING_SECRET,
            **addresses,
        }

    # Records

    def _open(self, collection: Collection) -> None:
        table, path = self.tables[collection.name], f"{self.base}{collection.path}"

        def of_business(rows: list[Row], call: Call) -> list[Row]:
            return [row for row in rows if row[BUSINESS] == call.request.environ["sage.business"]]

        def listed(call: Call) -> Response:
            listing = Listing(collection, call, self.switches)
            return listing.answer(of_business(table.rows(), call), of_business(table.gone(), call))

        def read(call: Call) -> Any:
            asked = call.param("attributes", "all").split(",")
            row = self._found(table, call, table.get(call.values["record_id"]))
            return self._expanded(shown(row, asked, legacy_id=call.param("show_legacy_id") == "true"), call)

        def create(call: Call) -> Any:
            return self._create(collection, call)

        def update(call: Call) -> Any:
            row = self._found(table, call, table.written.get(call.values["record_id"]))
            values = stored(collection, unwrapped(collection, call), self.refer)
            return shown(self.update(collection.name, row["id"], values), ["all"])

        def delete(call: Call) -> Any:
            row = self._found(table, call, table.written.get(call.values["record_id"]))
            if not collection.is_voided:
                self.delete(collection.name, row["id"])
                return empty_reply(204)
            if not call.param("void_reason"):
                raise errors.refused(("void_reason", "void_reason is required"))
            return shown(self.void(collection.name, row["id"], call.param("void_reason")), ["all"])

        self.route(path, listed)
        self.route(path, create, "POST")
        self.route(f"{path}/<record_id>", read)
        self.route(f"{path}/<record_id>", update, "PUT")
        if collection.name != "ledger_accounts":
            self.route(f"{path}/<record_id>", delete, "DELETE")

    def _found(self, table: Table, call: Call, row: Row | None) -> Row:
        if row is None or row[BUSINESS] != call.request.environ["sage.business"]:
            raise errors.not_found()
        return row

    def _create(self, collection: Collection, call: Call) -> Any:
        body = unwrapped(collection, call)
        key = str(body.pop("idempotency_id", ""))
        if key and key in self.replayed:
            return shown(self.tables[collection.name].written[self.replayed[key]], ["all"]), 201
        check_required(collection, body)
        values = stored(collection, body, self.refer)
        _check_customer(self, collection, values)
        business = BUSINESSES.index(call.request.environ["sage.business"])
        row = self.insert(collection.name, self._completed(collection, values), business=business)
        if key:
            self.replayed[key] = row["id"]
        return shown(row, ["all"]), 201

    def _completed(self, collection: Collection, values: dict[str, Any]) -> dict[str, Any]:
        """Add the number, the sums and the status of a new invoice, as Sage does."""
        if not collection.is_voided:
            return values
        lines = values.get(collection.lines) or []
        net = sum(float(line.get("quantity", 1)) * float(line.get("unit_price", 0)) for line in lines)
        number = f"{'SI' if collection.name == 'sales_invoices' else 'A'}-{self.tables[collection.name].made + 1}"
        added = {
            "invoice_number": number,
            "contact_name": (values.get("contact") or {}).get("displayed_as", "").partition(" (")[0],
            "status": self.refer("artefact_statuses", "UNPAID"),
            "net_amount": net,
            "total_amount": net,
            "outstanding_amount": net,
        }
        return added | values

    def _expanded(self, record: dict[str, Any], call: Call) -> dict[str, Any]:
        """`nested_attributes` expands the references of the first level."""
        wanted = [name for name in call.param("nested_attributes").split(",") if name]
        if not wanted:
            return record
        return {name: self._opened(value, wanted) for name, value in record.items()}

    def _opened(self, value: Any, wanted: list[str]) -> Any:
        if not isinstance(value, dict) or "$path" not in value:
            return value
        _, name, record_id = value["$path"].split("/")
        row = self.tables[name].get(record_id) if name in self.tables else None
        return value if row is None else shown(row, wanted)

    # Resources that are not tables

    def _open_codes(self, name: str, codes: Mapping[str, str]) -> None:
        collection = Collection(path=f"/{name}", wrapper="", display=str, tells_deleted=False)
        stamp = "2015-01-01T00:00:00Z"
        rows = [
            reference(f"/{name}", code, text) | {"created_at": stamp, "updated_at": stamp}
            for code, text in codes.items()
        ]

        def read(call: Call) -> Any:
            row = next((row for row in rows if row["id"] == call.values["record_id"]), None)
            if row is None:
                raise errors.not_found()
            return row

        self.route(f"{self.base}/{name}", lambda call: Listing(collection, call, self.switches).answer(rows, []))
        self.route(f"{self.base}/{name}/<record_id>", read)

    def _open_single_ones(self) -> None:
        self.route(
            f"{self.base}/financial_settings",
            lambda call: {"year_end_date": "2024-03-31", "$path": "/financial_settings"},
        )
        if self.api == "v3":
            return
        self.route(f"{self.base}/user", lambda call: {**reference("/user", USER_ID, "Ann Lee"), "email": USER})
        self.route(f"{self.base}/businesses", lambda call: self._businesses())
        self.route(f"{self.base}/businesses/lead", lambda call: _business_record(self.switches.lead))

    def _businesses(self) -> Response:
        # Its keys differ from those of all other lists.
        items = [_business_record(number) for number in range(len(BUSINESSES))]
        return json_reply(
            {"$total": 2, "$page": 1, "$next": None, "$back": None, "$items_per_page": 2147483647, "$items": items}
        )


def _business_record(number: int) -> dict[str, str]:
    return reference("/businesses", BUSINESSES[number], ("Birch and Sons", "Birch Holding")[number])


def _is_signed(request: Request) -> bool:
    token = request.headers["Authorization"].partition(" ")[2]
    params = [*request.args.items(multi=True), body_param(request.get_data())]
    nonce = request.headers.get("X-Nonce", "")
    text = base_string(request.method, request.base_url, params, nonce, request.headers["X-Site"])
    made = hmac.new(signing_key(SIGNING_SECRET, token).encode(), text.encode(), "sha1").digest()
    # Some clients append a line break.
    return bool(nonce) and hmac.compare_digest(
        request.headers.get("X-Signature", "").strip(), base64.b64encode(made).decode()
    )


def _check_customer(sandbox: SageSandbox, collection: Collection, values: Mapping[str, Any]) -> None:
    """Check that the contact of a sale is a customer, and that of a purchase a vendor."""
    contact = values.get("contact")
    kind = {"sales": "CUSTOMER", "purchase": "VENDOR"}.get(collection.name.partition("_")[0])
    if not contact or kind is None:
        return
    types = {one["id"] for one in sandbox.tables["contacts"].written[contact["id"]].get("contact_types", [])}
    if kind not in types:
        raise errors.refused((f"{collection.wrapper}[contact_id]", f"{kind.lower()} not found"))
