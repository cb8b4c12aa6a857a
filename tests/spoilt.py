"""Elements that are broken in one way each: every function gives the plugins of one distribution."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

from marshmallow import INCLUDE, Schema, fields
from requests.auth import AuthBase
from werkzeug.test import Client

from connectory import (
    BearerAuth,
    Keyset,
    Offset,
    Request,
    hookimpl,
    judge_by_status,
    page_instead_of_json,
    to_params,
)
from connectory.ceql import And, Comparison, In, Or
from connectory.deletes import Sweep, total_in_body
from connectory.model import ACCEPT, Action, Verdict
from connectory.sandbox import Cut, NumberedPages, OffsetPages
from connectory.templates import parse_template
from demo import DATES, SINCE, Configuration, Demo, entry

RESOURCE = Demo.resource
STAMP = "%Y-%m-%dT%H:%M:%SZ"


def of(**members) -> tuple:
    """The good element with other members."""
    spoilt = members.pop("spoilt", {})
    return (type("Spoilt", (Demo,), members)(**spoilt),)


def with_entry(**more) -> tuple:
    return of(resource=replace(RESOURCE, poller=entry(**more)))


# Fields and dates


def wrong_id_field():
    return of(resource=replace(RESOURCE, id_field="number", poller=entry(idField="number")))


def id_of_something_else():
    return of(resource=replace(RESOURCE, id_field="name", poller=entry(idField="name")))


def updated_missing():
    return with_entry(datesConfiguration=DATES | {"updatedDateField": "changed_at"})


def created_moves():
    return with_entry(datesConfiguration=DATES | {"createdDateField": "updated_at"})


def naive_dates():
    class Naive:
        unit, warnings = timedelta(seconds=1), ()

        def parse(self, value):
            return datetime.strptime(value, STAMP)  # noqa: DTZ007 - this is what is wrong with it

        def format(self, moment):
            return moment.astimezone(UTC).strftime(STAMP)

    return of(connect_date_format=hookimpl(lambda self, element, pattern, timezone: Naive()))


def zone_dropped():
    """The stamps bear an offset, which the pattern takes for decoration."""
    local = "yyyy-MM-dd'T'HH:mm:ss"

    class Blind:
        unit, warnings = timedelta(seconds=1), ()

        def parse(self, value):
            return datetime.fromisoformat(value[:19]).replace(tzinfo=UTC)

        def format(self, moment):
            return moment.astimezone(UTC).strftime(STAMP)

    def stamp(moment):
        return moment.astimezone(timezone(timedelta(hours=2))).isoformat(timespec="seconds")

    def where(row, call):
        since = call.param("since")
        return not since or datetime.fromisoformat(row["updated_at"]) >= datetime.fromisoformat(since)

    return of(
        stamp=staticmethod(stamp),
        where=staticmethod(where),
        resource=replace(RESOURCE, poller=entry(datesConfiguration=DATES | {"updatedDateFormat": local})),
        connect_date_format=hookimpl(lambda self, element, pattern, timezone: Blind()),
    )


def wrong_zone():
    zoneless = {"createdDateFormat": "yyyy-MM-dd'T'HH:mm:ss", "createdDateTimezone": "America/Denver"}

    def show(row, call):
        return row | {"created_at": row["created_at"].removesuffix("Z")}

    def fill(self, fake, table):
        fake.resource("/v1/orders", table, self.style, records="items", where=self.where, show=show)

    return of(fill=fill, resource=replace(RESOURCE, poller=entry(datesConfiguration=DATES | zoneless)))


# Paging


def offset_without_order():
    """The provider lists by the updated stamp where no order is asked for."""

    class ByStamp:
        def cut(self, rows, call):
            return OffsetPages(total=None).cut(sorted(rows, key=lambda row: row["updated_at"]), call)

    return of(style=ByStamp(), spoilt={"paginator": Offset()})


def last_page_for_ever():
    class UntilEmpty:
        def walk(self, request, query):
            for number in itertools.count(1):
                page = yield request.with_params(page=str(number), per_page=str(query.page_size))
                if page.rows == 0:
                    return

    return of(
        style=NumberedPages(size="per_page", total=None, repeats_last_page=True), spoilt={"paginator": UntilEmpty()}
    )


def stops_one_early():
    class RoundsDown:
        def walk(self, request, query):
            page = yield request.with_params(page="1", per_page=str(query.page_size))
            for number in range(2, page.response.json()["total"] // query.page_size + 1):
                yield request.with_params(page=str(number), per_page=str(query.page_size))

    return of(spoilt={"paginator": RoundsDown()})


def page_size_ignored():
    """The provider has another name for the size, so its pages are as long as it likes."""
    return of(style=NumberedPages(size="limit", default=5))


def keyset_without_order():
    """The provider sorts where it is asked to, and is not asked."""

    @dataclass(frozen=True)
    class Unsorted:
        def cut(self, rows, call):
            after = call.param("after_updated")
            found = [row for row in rows if row["updated_at"] > after]
            return Cut(rows=sorted(found, key=lambda row: row["id"])[: call.number("limit", 20)])

    return of(style=Unsorted(), spoilt={"paginator": Keyset(after_updated="after_updated", size="limit")})


# Windows and filters


def window_dropped():
    return of(translate=staticmethod(lambda query: query.params))


def strict_bound():
    """`>` in the URL, and a template that is rendered without stepping back for it."""

    def render(self, element, resource, template, window):
        return parse_template(template).render(window.start)

    def where(row, call):
        return row["updated_at"] > call.param("since")

    return of(
        where=staticmethod(where),
        connect_render_template=hookimpl(render),
        resource=replace(RESOURCE, poller=entry(url=entry()["url"].replace(">=", ">"))),
    )


def filter_left_out():
    translate = to_params({"updated_at": SINCE})

    def lenient(query):
        terms = query.expression.terms if isinstance(query.expression, And) else [query.expression]
        known = [term for term in terms if isinstance(term, Comparison) and term.field == "updated_at"]
        return translate(replace(query, expression=known[0] if known else None))

    return of(translate=staticmethod(lenient))


def filter_misnamed():
    return of(translate=staticmethod(to_params({"updated_at": SINCE, "status": "state"})))


def or_as_and():
    translate = to_params({"updated_at": SINCE, "status": "status", "name": "name"})

    def flat(query):
        expression = query.expression
        return translate(replace(query, expression=And(expression.terms) if isinstance(expression, Or) else expression))

    return of(translate=staticmethod(flat))


def negation_left_out():
    translate = to_params({"updated_at": SINCE, "status": {"=": "status", "IN": "status"}})

    def positive(query):
        expression = query.expression
        return translate(
            replace(query, expression=replace(expression, negated=False) if isinstance(expression, In) else expression)
        )

    return of(translate=staticmethod(positive))


def counted_translation():
    numbers = itertools.count()
    translate = Demo.translate
    return of(translate=staticmethod(lambda query: (*translate(query), ("call", str(next(numbers))))))


# Logins


class Signed(AuthBase):
    def __init__(self, tokens) -> None:
        self.tokens = tokens

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token(request)}"
        return request

    def token(self, request):
        return self.tokens.current().access_token.reveal()


def signed_by(auth) -> tuple:
    return of(connect_build_auth=hookimpl(lambda self, element, config, tokens: auth(tokens)))


def never_renews():
    return signed_by(Signed)


def keeps_a_token():
    class Keeps(Signed):
        kept = None

        def token(self, request):
            self.kept = self.kept or self.tokens.current().access_token.reveal()
            return self.kept

        def renew(self, prepared):
            self.kept = self.tokens.renew(self.kept).access_token.reveal()
            return True

    return signed_by(Keeps)


def renews_by_itself():
    """And keeps the new pair to itself."""
    opened = []

    class Renews(Signed):
        mine = None

        def token(self, request):
            return self.mine or super().token(request)

        def renew(self, prepared):
            form = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "grant_type": "refresh_token"}
            refresh_token = self.tokens.current().refresh_token.reveal()
            answer = Client(opened[0]).post("/oauth/token", data=form | {"refresh_token": refresh_token}).json
            self.mine = answer["access_token"]
            return True

    def sandbox(self, element):
        opened.append(Demo.connect_open_sandbox(self, element))
        return opened[-1]

    return of(
        connect_open_sandbox=hookimpl(sandbox),
        connect_build_auth=hookimpl(lambda self, element, config, tokens: Renews(tokens)),
    )


def dead_login_not_seen():
    from demo import Demo as Good

    return of(spoilt={"oauth": replace(Good().element.oauth, is_dead=lambda response: False)})


# Verdicts


def judged_by(judge) -> tuple:
    return of(spoilt={"judge": judge})


def html_is_empty():
    def judge(response):
        is_page = response.content_type == "text/html"
        return Verdict(action=Action.EMPTY) if is_page else judge_by_status(response)

    return judged_by(judge)


def final(*statuses):
    def judge(response):
        if response.status in statuses:
            return Verdict(action=Action.FAIL, reason=f"the provider answered {response.status}")
        return page_instead_of_json()(response) or judge_by_status(response)

    return judged_by(judge)


def limit_is_fatal():
    return final(429)


def refusal_is_final():
    return final(401)


def forbidden_is_empty():
    return judged_by(
        lambda response: Verdict(action=Action.EMPTY) if response.status == 403 else judge_by_status(response)
    )


def judge_reads_json():
    return judged_by(lambda response: ACCEPT if "error" not in response.json() else judge_by_status(response))


# Configuration and secrets


def secret_not_marked():
    class Careless(Configuration):
        api_key = fields.String(data_key="demo.api.key", load_default=None, allow_none=True)

    return of(spoilt={"config_schema": Careless})


def secret_in_repr():
    class Talks(BearerAuth):
        def __repr__(self):
            return f"Talks({self._tokens.current().access_token.reveal()})"

    return signed_by(Talks)


def token_logged():
    class Logs(Signed):
        def __call__(self, request):
            logging.getLogger("demo").debug("asking with %s", super().__call__(request).headers)
            return request

        def renew(self, prepared):
            return BearerAuth(self.tokens).renew(prepared)

    return signed_by(Logs)


def schema_of_nothing():
    class Anything(Schema):
        class Meta:
            unknown = INCLUDE

    return of(spoilt={"config_schema": Anything})


def schema_of_anything():
    class Raw(Configuration):
        url = fields.Raw(data_key="demo.url", required=True)

    return of(spoilt={"config_schema": Raw})


def no_default():
    class Bare(Configuration):
        size = fields.Integer(data_key="demo.size")

    return of(spoilt={"config_schema": Bare})


def probe_always_succeeds():
    def fill(self, fake, table):
        Demo.fill(self, fake, table)
        known = fake.authenticate
        fake.route("/v1/health", lambda call: {"status": "up"})
        fake.authenticate = lambda request: "anybody" if request.path == "/v1/health" else known(request)

    return of(fill=fill, spoilt={"probe": Request(path="/health")})


def no_probe():
    return of(spoilt={"probe": None})


# Deletes, hooks, sandboxes


def deletes_not_told():
    """The sweep counts by a field that there is not, so no listing is ever complete."""
    return of(resource=replace(RESOURCE, deletes=Sweep(total=total_in_body("count"))))


def hijacker():
    class Extension:
        """A second plugin of the distribution, which owns no element and forgets to look at the key."""

        @hookimpl
        def connect_date_format(self, element, pattern, timezone):
            from connectory import compile_pattern

            return compile_pattern(pattern, "UTC")

    return (Demo(), Extension())


def open_sandbox():
    def fill(self, fake, table):
        Demo.fill(self, fake, table)
        fake.authenticate = lambda request: "anybody"

    return of(fill=fill)


def shared_state():
    kept = {}

    def fill(self, fake, table):
        Demo.fill(self, fake, kept.setdefault("table", table))
        fake.tables["orders"] = kept["table"]

    return of(fill=fill)


def unknown_hook():
    return of(connect_make_coffee=hookimpl(lambda self: None))
