"""The scripted worlds. Each scenario writes its pages into a book."""

from __future__ import annotations

import base64
import functools
import hmac
import http.client
import itertools
import json
import re
import socket
import tempfile
import time
import zlib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .book import Book
from .driving import KEY, ROOT, START, World, commands, isolated, run, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

SINCE_ELEVEN = "lastModifiedDate>='2026-03-01T11:00:00Z' and attributes='created_at,updated_at'"
NO_DATES: dict[str, str] = {}


def play(name: str) -> dict[str, str]:
    """Run a scenario, and return its pages by file name."""
    book = Book()
    with tempfile.TemporaryDirectory() as made, isolated(Path(made).resolve()):
        folder = Path(made).resolve()
        book.replacements |= {str(folder): "FOLDER", str(ROOT): "ROOT"}
        SCENARIOS[name](book, folder)
    return book.pages


def help_texts(book: Book, _folder: Path) -> None:
    """The help of every command."""
    for words in commands():
        book.add("-".join(words) or "connect", str(run(*words, "--help")))


def catalog(book: Book, _folder: Path) -> None:
    """What is installed, and what needs no instance."""
    for arguments in (
        ("version",),
        ("--version",),
        ("elements",),
        ("elements", "--json"),
        *(("elements", "show", key, *more) for key in ("servicenowoauth", "sageone") for more in ((), ("--json",))),
        ("plugins",),
        ("plugins", "--json"),
        *(("plugins", "--trace", key, *more) for key in ("servicenowoauth", "sageone") for more in ((), ("--json",))),
        ("plugins", "--trace", "servicenowoauth", "--resource", "accounts", "--json"),
        *(
            ("plugin", "check", *more, "--no-tests")
            for more in (("connectory-servicenow",), ("connectory-sageone", "--all"), ("connectory-sageone", "--json"))
        ),
        ("plugin", "new", "acme-shop", "--no-input"),
        ("plugin", "new", "acme-books", "--auth", "oauth2", "--paging", "cursor", "--resource", "orders", "--json"),
    ):
        words = [word for word in arguments if not word.startswith("-")]
        page = "-".join(words[:2] if words[:1] in (["elements"], ["plugin"]) else words[:1]) or "version"
        book.add(page, str(run(*arguments, now=START)))


def servicenow(book: Book, folder: Path) -> None:
    """Four resources of a ServiceNow: news, deletions, failures, a receiver that fails, a login that is lost."""
    with World(folder, book) as world:
        sandbox = world.snow
        known = {name: list(table) for name, table in sandbox.tables.items()}
        incident, company, user = known["incident"][0], known["core_company"][0], known["sys_user"][-1]
        entries = default_entries(world, "servicenowoauth")
        entries["incidents"] |= {"pageSize": 5, "trackDeletes": True, "trackChanges": {"previous": True}}
        entries["accounts"] |= {"trackDeletes": True, "trackChanges": True, "pollDelay": 2}
        entries["contacts"] |= {"createdCheckTolerance": 5, "overlap": 30}
        entries["agents"] |= {"trackDeletes": {"interval": 5, "maxShare": 0.3}, "ignoreFields": ["phone"]}
        configuration = world.configuration(
            sandbox, world.at_snow, **{"event.poller.configuration": {name: entries[name] for name in sorted(entries)}}
        )
        body = {"element": {"key": "servicenowoauth"}, "configuration": configuration, "name": "snow", "tags": ["a"]}
        write_json(folder / "body.json", body)

        book.step = "nothing is there yet"
        for words in (("instances", "list"), ("events", "list"), ("deliveries", "list"), ("doctor",)):
            world.both(*words)

        book.step = "created"
        create = ("instances", "create", "--file", "body.json", "--json", "--code")
        world.connect(*create, world.snow_code(), page="instances-create")
        world.write_requests()
        world.both("instances", "show", "snow")
        world.both("instances", "list")
        world.both("doctor", "snow", "--deletions")
        world.write_requests()

        book.step = "first poll"
        world.advance(60)
        world.both("explain", "snow", "incidents")
        world.write_requests()
        world.poll("snow", "--json")

        book.step = "nothing new"
        world.advance(60)
        world.poll("snow")

        book.step = "news: created, updated"
        world.advance(10)
        made = sandbox.insert("incident", {"short_description": 'Quote " and ü, 日本'}).sys_id
        sandbox.update("incident", incident, {"urgency": "1", "comments": "Please hurry."})
        sandbox.update("core_company", company, {"city": "Oslo"})
        sandbox.update("sys_user", user, {"title": "Chief"})
        sandbox.update("sys_user", known["sys_user"][-2], {"phone": "+47 1"})
        world.advance(50)
        for resource in sorted(entries):
            world.both("explain", "snow", resource)
        world.write_requests()
        world.connect("poll", "snow", "--record", "recorded.jsonl", "--json")
        world.write_requests()
        world.both("explain", "snow", "agents", "--replay", "recorded.jsonl")
        world.both("explain", "--replay", "recorded.jsonl")
        world.poll("snow", "--json")
        world.write_notifications()

        book.step = "seen again, and ignored"
        world.advance(60)
        sandbox.update("sys_user", user, {"phone": "+47 2"})
        sandbox.update("incident", made, {"urgency": "2"})
        world.advance(5)
        world.both("explain", "snow", "incidents")
        world.both("explain", "snow", "agents")
        world.write_requests()
        world.poll("snow")
        world.write_notifications()

        book.step = "a burst of several pages"
        world.advance(60)
        for number in range(12):
            sandbox.insert("incident", {"short_description": f"No. {number}"})
        for key in ids_of_one_lane(13):
            sandbox.insert("core_company", {"sys_id": key, "name": f"Company {key[-4:]}"})
        world.advance(30)
        world.poll("snow", "--json")
        world.write_notifications()

        book.step = "hidden records"
        world.advance(60)
        hidden = sandbox.insert("incident", {"short_description": "hidden"}).sys_id
        world.switch_snow(acl={"hidden_rows": {"incident": f"sys_id={hidden}"}, "hidden_as": "empty"})
        world.advance(30)
        world.both("explain", "snow", "incidents")
        world.poll("snow", "--json")
        world.switch_snow(acl={})
        world.write_notifications()

        book.step = "deletions"
        world.advance(30)
        for table, key in (("incident", made), ("core_company", company), ("sys_user", user)):
            sandbox.delete(table, key)
        for seconds in (60, 240, 600):
            world.advance(seconds)
            world.poll("snow", "--json")
        world.both("instances", "show", "snow")
        world.write_notifications()

        book.step = "there again after a deletion"
        sandbox.insert("core_company", {"sys_id": company, "name": "There again"})
        world.advance(60)
        world.both("explain", "snow", "accounts")
        world.poll("snow", "--json")
        world.write_notifications()

        book.step = "too many are gone"
        for key in list(sandbox.tables["sys_user"])[5:]:
            sandbox.delete("sys_user", key)
        world.advance(3600)
        world.poll("snow", "--json")
        world.advance(3600)
        world.poll("snow", "--json")
        world.both("instances", "show", "snow")
        world.both("instances", "allow-mass-delete", "snow", "agents")
        world.advance(3600)
        world.poll("snow", "--json")
        world.write_notifications()

        book.step = "what was announced"
        world.both("events", "list")
        world.both("events", "list", "--instance", "snow", "--resource", "accounts", "--records")
        world.both("events", "list", "--object", incident, "--limit", "1")
        world.both("deliveries", "list", "--limit", "5")
        world.both("deliveries", "list", "--status", "delivered", "--instance", "snow", "--limit", "2")
        world.both("deliveries", "show", "1")

        book.step = "tail"
        tail(world, lambda: sandbox.insert("core_company", {"name": "Followed"}))
        world.write_notifications()

        book.step = "a receiver that fails once"
        one_more(world)
        world.receiver.answers = [503]
        world.poll("snow", "--json")
        world.both("deliveries", "show", str(len(book_of_deliveries(world))))
        one_more(world)
        world.receiver.answers = [500]
        world.poll("snow")
        world.write_notifications()

        book.step = "a receiver that is gone"
        one_more(world)
        world.receiver.answers = [410]
        world.poll("snow", "--json")
        world.both("instances", "show", "snow")
        world.both("deliveries", "list", "--status", "queued")
        one_more(world)
        world.poll("snow")
        world.both("deliveries", "list", "--status", "created")
        world.connect("deliveries", "resume", "snow")
        world.poll("snow", "--json")
        world.connect("deliveries", "resume", "snow")
        world.write_notifications()

        book.step = "a provider that fails"
        world.advance(60)
        world.switch_snow(bad_gateway=True)
        world.both("explain", "snow", "incidents")
        world.both("doctor", "snow")
        world.both("cursor", "show", "snow", "incidents")
        world.poll("snow", "--json")
        world.poll("snow")
        world.both("instances", "list")
        world.both("instances", "show", "snow")
        world.both("cursor", "show", "snow", "incidents")
        world.switch_snow(bad_gateway=False)
        world.advance(3600)
        world.poll("snow", "--json")

        book.step = "the cursor by hand"
        world.both("cursor", "show", "snow", "incidents")
        world.both("cursor", "rewind", "snow", "incidents", "--since", "2026-03-01T12:05:00Z")
        world.both("explain", "snow", "incidents")
        world.both("cursor", "reset", "snow", "incidents")
        world.both("cursor", "reset", "snow", "accounts", "--to", "2026-02-01")
        span = ("backfill", "snow", "incidents", "--from", "2026-01-01", "--to", "2026-03-01T12:00:00Z")
        world.both(*span, "--dry-run")
        world.connect(*span, "--json")
        world.connect(*span)
        world.write_requests()
        world.poll("snow", "--json")
        world.write_notifications()

        book.step = "changed and paused"
        change = ("instances", "update", "snow")
        world.both(*change, "--name", "renamed", "--tag", "x", "--tag", "y", "--set", "event.poller.refresh_interval=5")
        change = ("instances", "update", "renamed")
        world.connect(*change, "--set", "event.poller.refresh_intervall=5", "--name", "snow")
        world.both("instances", "pause", "snow")
        world.connect("poll", "snow", "--once", "--json")
        world.connect("run", "servicenowoauth", "--name", "snow", "--once")
        world.both("instances", "resume", "snow")

        book.step = "a login that is lost"
        world.advance(600)
        sandbox.authority.expire("all")
        world.poll("snow", "--json")
        world.write_notifications()
        world.both("instances", "list")
        world.both("instances", "show", "snow")
        world.connect("poll", "snow", "--once", "--json")
        world.both("doctor", "snow")
        world.both("explain", "snow", "incidents")
        world.both("instances", "resume", "snow")
        world.connect("instances", "reauth", "snow", "--json", "--code", world.snow_code(), page="instances-reauth")
        world.write_requests()
        world.poll("snow")

        book.step = "another one that announces all"
        second = world.configuration(sandbox, world.at_snow, **{"event.poller.first_poll": "all"})
        plain = default_entries(world, "servicenowoauth")
        second["event.poller.configuration"] = {name: plain[name] for name in ("accounts", "contacts")}
        write_json(folder / "second.json", {"configuration": second})
        start = ("run", "servicenowoauth", "--once", "--file", "second.json", "--name", "all", "--code")
        world.connect(*start, world.snow_code(), "--json", page="run")
        world.write_requests()
        world.write_notifications()
        world.advance(60)
        world.connect("run", "servicenowoauth", "--once", "--name", "all", page="run")
        world.connect("run", "servicenowoauth", "--once", "--name", "all", "--resource", "agents", page="run")
        world.both("instances", "list", "--element", "servicenowoauth")
        world.connect("instances", "delete", "all", answer="n\n")
        world.connect("instances", "delete", "all", "--yes")
        world.both("instances", "list")


def sageone(book: Book, folder: Path) -> None:
    """Lists of a Sage One: news, a burst, deletions, lists without dates, failures, a login that is lost."""
    with World(folder, book) as world:
        sandbox = world.sage
        customers = list(sandbox.tables["contacts"].written)
        products = list(sandbox.tables["products"].written)
        entries = default_entries(world, "sageone")
        chosen = {
            "customers": entries["customers"] | {"pageSize": 4, "trackChanges": {"previous": True}},
            "products": entries["products"] | {"trackDeletes": True, "ignoreFields": ["notes", "updated_at"]},
            "bank-accounts": entries["bank-accounts"] | {"filterByCurrentDate": True},
            "invoices": entries["invoices"] | {"trackDeletes": True},
            "sales-quotes": entries["sales-quotes"] | {"trackDeletes": {"interval": 5}},
            "services": entries["services"] | {"url": f"/hubs/finance/services?where={SINCE_ELEVEN}", "overlap": 30},
            "payment-methods": {"url": "/hubs/finance/payment-methods", "idField": "id"},
            "ledger-accounts": {
                "url": "/hubs/finance/ledger-accounts?where=attributes='name'",
                "idField": "id",
                "datesConfiguration": NO_DATES,
                "filterByUpdatedDate": False,
            },
        }
        for name in ("customers", "products"):
            chosen[name]["url"] = chosen[name]["url"].replace("'created_at,updated_at'", "'all'")
        configuration = world.configuration(sandbox, world.at_sage, **{"event.poller.configuration": chosen})
        body = {"element": {"key": "sageone"}, "configuration": configuration, "name": "books", "tags": ["Test"]}
        body["providerData"] = {"code": world.sage_code()}
        write_json(folder / "body.json", body)

        book.step = "created"
        world.connect("instances", "create", "sageone", "--file", "body.json")
        world.write_requests()
        world.both("instances", "show", "books")
        world.both("doctor", "books", "--deletions")
        world.write_requests()

        book.step = "first poll, with a baseline"
        world.advance(60)
        for resource in ("customers", "payment-methods"):
            world.both("explain", "books", resource)
        world.write_requests()
        world.poll("books", "--json")
        world.write_notifications()

        book.step = "nothing new"
        world.advance(60)
        world.both("explain", "books", "ledger-accounts")
        world.write_requests()
        world.poll("books", "--json")

        book.step = "news: created, updated, ignored"
        world.advance(10)
        kind = sandbox.refer("contact_types", "CUSTOMER")
        made = sandbox.insert("contacts", {"name": "Zoë & <Co>", "contact_types": [kind], "credit_limit": 12.5})["id"]
        sandbox.update("contacts", customers[0], {"notes": "a note", "credit_limit": 7})
        sandbox.update("products", products[0], {"notes": "ignored"})
        sandbox.update("products", products[1], {"description": "Stool"})
        sandbox.insert("ledger_accounts", {"name": "New", "display_name": "New", "nominal_code": 1})
        sandbox.insert("services", {"item_code": "S2", "description": "Repair", "active": True})
        ahead = world.clock.now() + timedelta(seconds=90)
        sandbox.insert("bank_accounts", {"name": "Savings", "reference": "1"}, at=ahead)
        world.advance(50)
        for resource in ("customers", "products", "ledger-accounts", "services", "bank-accounts"):
            world.both("explain", "books", resource)
        world.write_requests()
        world.poll("books", "--json")
        world.write_notifications()

        book.step = "seen again"
        world.advance(60)
        world.both("explain", "books", "customers")
        world.write_requests()
        world.poll("books")
        world.write_notifications()

        book.step = "a burst of several pages, past the end of a token"
        world.advance(400)
        for number in range(14):
            sandbox.insert("contacts", {"name": f"No. {number}", "contact_types": [kind]})
        world.advance(20)
        world.poll("books", "--json")
        world.write_notifications()

        book.step = "deletions"
        world.advance(30)
        sandbox.delete("products", products[1])
        sandbox.void("sales_invoices", next(iter(sandbox.tables["sales_invoices"].written)), "written twice")
        sandbox.update("contacts", made, {"name": "Renamed"})
        for seconds in (60, 600):
            world.advance(seconds)
            world.poll("books", "--json")
        world.both("explain", "books", "invoices")
        world.write_requests()
        world.write_notifications()
        world.both("instances", "show", "books")

        book.step = "a provider that fails"
        world.advance(60)
        sandbox.break_with(["server_error"])
        world.both("explain", "books", "customers")
        world.poll("books", "--json")
        world.both("cursor", "show", "books", "customers")
        sandbox.break_with([])
        sandbox.break_with(["ignored_filter"])
        world.both("explain", "books", "customers")
        sandbox.break_with([])
        world.advance(3600)
        world.poll("books")

        book.step = "before the window"
        world.both("explain", "books", "services")

        book.step = "what was announced"
        world.both("events", "list", "--resource", "customers", "--limit", "4", "--records")
        world.both("deliveries", "list", "--limit", "3")
        world.both("deliveries", "show", "1")
        world.both("cursor", "show", "books", "customers")
        world.both("backfill", "books", "products", "--from", "2025-01-01", "--dry-run")

        book.step = "a login that is lost"
        world.advance(600)
        sandbox.login.authority.expire("all")
        world.poll("books", "--json")
        world.write_notifications()
        world.both("instances", "show", "books")
        world.both("explain", "books", "customers")
        world.connect("instances", "reauth", "books", "--code", world.sage_code(), page="instances-reauth")
        world.poll("books", "--json")


def sageone_v3(book: Book, folder: Path) -> None:
    """The older API of Sage One, with its headers."""
    with World(folder, book, api="v3", country="us", needs_signature=True) as world:
        entries = default_entries(world, "sageone")
        chosen = {name: entries[name] | {"pageSize": 2, "trackDeletes": True} for name in ("customers", "products")}
        more = {"event.poller.configuration": chosen, "event.poller.first_poll": "all"}
        body = {"element": {"key": "sageone"}, "configuration": world.configuration(world.sage, world.at_sage, **more)}
        write_json(folder / "body.json", body)
        book.step = "created"
        create = ("instances", "create", "--file", "body.json", "--name", "old", "--code")
        world.connect(*create, world.sage_code(), page="instances-create")
        world.write_requests()
        book.step = "first poll: all"
        world.advance(60)
        world.poll("old")
        book.step = "nothing new"
        world.advance(60)
        world.poll("old", "--json")
        book.step = "deletions"
        world.sage.delete("products", next(iter(world.sage.tables["products"].written)))
        for _ in range(2):
            world.advance(90_000)
            world.poll("old", "--json")
        world.both("instances", "show", "old")
        world.write_notifications()


def mistakes(book: Book, folder: Path) -> None:
    """What goes wrong: each code that a command ends with, in words and as JSON."""
    with World(folder, book) as world:
        entries = default_entries(world, "servicenowoauth")

        def body(**more: Any) -> Path:
            given = world.configuration(world.snow, world.at_snow, **{"event.poller.configuration": entries, **more})
            return write_json(
                folder / "body.json", {"element": {"key": "servicenowoauth"}, "configuration": given, "name": "snow"}
            )

        def incidents(**more: Any) -> dict[str, Any]:
            return {"event.poller.configuration": {"incidents": entries["incidents"] | more}}

        create = ("instances", "create", "--file", "body.json")
        book.step = "2: bad input"
        for arguments in (
            ("instances", "show", "7"),
            ("instances", "create"),
            ("instances", "create", "nosuch"),
            ("instances", "create", "servicenowoauth", "--set", "novalue"),
            ("instances", "create", "servicenowoauth", "--set", "servicenow.subdomain=acme"),
            ("instances", "create", "--file", "missing.json"),
            ("elements", "show", "nosuch"),
            ("plugins", "--resource", "incidents"),
            ("deliveries", "show", "99"),
            ("deliveries", "list", "--status", "lost"),
            ("explain",),
            ("explain", "--replay", "missing.jsonl"),
            ("run", "servicenowoauth", "--for", "30x"),
            ("run", "servicenowoauth", "--fault", "x"),
            ("run", "servicenowoauth", "--set", "servicenow.subdomain=acme", "--resource", "nosuch"),
            ("plugin", "check", "nosuch"),
            ("sandbox", "servicenowoauth", "--fault", "nosuch"),
            ("events", "list", "--instance", "nosuch"),
            ("cursor", "rewind", "nosuch", "incidents", "--since", "soon"),
        ):
            for more in ((), ("--json",)):
                world.connect(*arguments, *more, page="2-bad-input")
        for arguments in (("nosuch",), ("instances", "show"), ("events", "list", "--limit", "0"), ("poll", "--nosuch")):
            world.connect(*arguments, page="2-usage")
        for title, change in (
            ("a template", incidents(url="/hubs/helpdesk/incidents?where=sys_updated_on>'${nosuch:yyyy}'")),
            ("a query", incidents(url="/hubs/helpdesk/incidents?where=sys_updated_on>")),
            ("a date pattern", incidents(datesConfiguration={"updatedDateFormat": "yyyy-QQ"})),
            ("a zone", incidents(datesConfiguration={"updatedDateTimezone": "Mars"})),
            ("a page size", incidents(pageSize=0)),
            ("an interval", {"event.poller.refresh_interval": "often"}),
            ("a callback", {"event.notification.callback.url": "ftp://x"}),
            ("JSON in text", {"event.poller.configuration": "{"}),
            ("an unknown resource", {"event.poller.configuration": {"nosuch": entries["incidents"]}}),
        ):
            book.step = f"bad input: {title}"
            body(**change)
            world.both_into("2-bad-configuration", *create, "--code", "unused")
        (folder / "body.json").write_text("{nonsense")
        book.step = "bad input: no JSON"
        world.both_into("2-bad-configuration", *create)

        book.step = "3: a login that is refused"
        body()
        world.both_into("3-login", *create, "--code", "wrong")
        body(**{"oauth.api.secret": "wrong"})
        world.connect(*create, "--json", "--code", world.snow_code(), page="3-login-secret")

        book.step = "4: a provider that is not there"
        body(**{"servicenow.subdomain": "http://127.0.0.1:9"})
        world.both_into("4-provider", *create, "--code", "unused")
        body()
        world.connect(*create, "--code", world.snow_code(), page="instances-create")
        for switches in ({"bad_gateway": True}, {"login_html": True}, {"hibernate": "page"}):
            book.step = f"4: a provider that fails: {next(iter(switches))}"
            world.switch_snow(**switches)
            world.both_into("4-provider", "explain", "snow", "incidents")
            world.both_into("4-provider", "poll", "snow", "--once")
            world.both_into("4-provider", "doctor", "snow")
            world.switch_snow(bad_gateway=False, login_html=False, hibernate="")
            world.advance(7200)
        book.step = "4: a filter that is not kept to"
        world.switch_snow(acl={"range_refused": {"incident": ("sys_updated_on",)}})
        world.both_into("4-provider", "explain", "snow", "incidents")
        world.switch_snow(acl={"forbidden_tables": ("incident",)})
        world.both_into("4-provider", "explain", "snow", "incidents")
        world.switch_snow(acl={})
        world.both_into("2-bad-input", "explain", "snow", "nosuch")
        world.both_into("2-bad-input", "cursor", "show", "snow", "nosuch")
        world.both_into("2-bad-input", "backfill", "snow", "incidents", "--from", "soon")
        world.both_into("2-bad-input", "cursor", "reset", "snow", "incidents", "--to", "never")

        book.step = "6: somebody else holds it"
        world.connect("instances", "pause", "snow")
        world.both_into("6-conflict", "poll", "snow", "--once")
        world.both_into("6-conflict", "run", "servicenowoauth", "--name", "snow", "--once")

    book.step = "5: a store that fails"
    (folder / "broken").mkdir()
    (folder / "broken" / "connectory.db").write_bytes(b"this is no database" * 100)
    (folder / "file").write_text("")
    for home in ("broken", "file"):
        for more in ((), ("--json",)):
            book.add("5-store", str(run("--home", home, "instances", "list", *more)))


def servers(book: Book, _folder: Path) -> None:
    """Commands that go on until Ctrl-C, and the run against a sandbox of its own."""
    with waiting():
        for arguments in (("sandbox", "servicenowoauth"), ("sandbox", "sageone", "--json")):
            book.add(arguments[0], hide_ports(str(run(*arguments))))
    event = {"objectType": "incidents", "eventType": "CREATED", "objectId": "a", "sequence": 2}
    for more in ((), ("--json",)):
        port = free_port()
        first, late = (notification(number, event | {"sequence": 3 - number}) for number in (1, 2))
        calls = (first, first, late, (first[0] | {"webhook-signature": "v1,AAAA"}, first[1]))
        with waiting(*(functools.partial(post, port, *call) for call in calls)):
            book.add("listen", hide_ports(str(run("listen", "--signature-key", KEY, "--port", str(port), *more))))
    book.add("run", hide_ports(str(run("run", "servicenowoauth", "--sandbox", "--once"))))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def notification(number: int, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """The headers and the body of a notification, signed as the platform says and as Standard Webhooks say."""
    body = json.dumps({"id": str(number), "message": {"events": [event]}}).encode()
    stamp = str(int(time.time()))
    own, standard = (
        base64.b64encode(hmac.digest(KEY.encode(), signed, "sha256")).decode()
        for signed in (body, f"{number}.{stamp}.".encode() + body)
    )
    headers = {
        "Elements-Webhook-Id": str(number),
        "Elements-Webhook-Signature": f"sha256={own}",
        "webhook-id": str(number),
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{standard}",
    }
    return headers, body


def post(port: int, headers: dict[str, str], body: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/events", body, headers)
    connection.getresponse().read()
    connection.close()


def hide_ports(text: str) -> str:
    return re.sub(r"(127\.0\.0\.1:|--port )\d{5}\b", r"\g<1>44444", text)


def default_entries(world: World, key: str) -> dict[str, dict[str, Any]]:
    """The poller entries that an element brings, by resource."""
    shown = json.loads(run("elements", "show", key, "--json", held=world.app).stdout)
    return {resource["name"]: resource["poller"] for resource in shown["resources"] if resource["poller"]}


def ids_of_one_lane(count: int) -> list[str]:
    """Ids whose notifications keep their order today: more of them than one notification has events."""
    every = (f"{number:032x}" for number in itertools.count(1))
    return list(itertools.islice((key for key in every if zlib.crc32(key.encode()) % 8 == 0), count))


def write_json(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


def one_more(world: World) -> None:
    world.snow.insert("core_company", {"name": "One more"})
    world.advance(60)


def book_of_deliveries(world: World) -> list[dict[str, Any]]:
    """All deliveries there are, without a page about them."""
    return json.loads(run("deliveries", "list", "--limit", "10000", "--json", held=world.app).stdout)


def tail(world: World, change: Callable[[], object]) -> None:
    """Follow events while one is announced: in words, as JSON, and with records."""

    def announce() -> None:
        change()
        world.advance(60)
        world.announce()

    for more in ((), ("--json",), ("--records", "--json"), ("--resource", "incidents")):
        with waiting(announce, lambda: None):
            world.connect("events", "tail", *more)


SCENARIOS = {
    "help": help_texts,
    "catalog": catalog,
    "servicenow": servicenow,
    "sageone": sageone,
    "sageone_v3": sageone_v3,
    "mistakes": mistakes,
    "servers": servers,
}
