"""The things that are measured, each run in a process of its own: `python -m tests.bench.subjects NAME OPTIONS`.

Each prints one JSON object: `cpu` and `wall` in seconds for `count` units of work, and the peak `rss` in MB.
Set-up (imports, store, instance, a first request) is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

PAGE = 1000


@contextmanager
def measured(count: int):
    before, start = _cpu(), time.perf_counter()
    yield
    cpu, wall = _cpu() - before, time.perf_counter() - start
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "count": count, "rss": rss}))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# The bare scripts that everything is compared with


def bare_read(port: int, records: int) -> None:
    """requests, the body in one read, msgspec.Raw: the floor of reading."""
    import requests

    decode, key = _decoders("sys_id", "sys_updated_on", "sys_mod_count")
    session = requests.Session()
    session.get(f"http://127.0.0.1:{port}/idle")
    with measured(records):
        for offset in range(0, records, PAGE):
            for raw in decode(_read(session, port, offset)).result:
                key(raw)


def bare_pipeline(port: int, records: int) -> None:
    """Read, build an envelope around each record, executemany, one commit per page."""
    import msgspec
    import requests

    decode, key = _decoders("sys_id", "sys_updated_on", "sys_created_on")
    encode = msgspec.json.Encoder().encode
    session = requests.Session()
    session.get(f"http://127.0.0.1:{port}/idle")
    store = sqlite3.connect(Path(tempfile.mkdtemp()) / "outbox.db", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "CREATE TABLE outbox (id INTEGER PRIMARY KEY, event_id TEXT UNIQUE, status TEXT, due INTEGER, payload BLOB)",
        "CREATE INDEX due ON outbox (status, due)",
        "CREATE TABLE cursor (since TEXT)",
    ):
        store.execute(statement)
    with measured(records):
        for offset in range(0, records, PAGE):
            rows = []
            for raw in decode(_read(session, port, offset)).result:
                found = key(raw)
                kind = "CREATED" if found.sys_created_on == found.sys_updated_on else "UPDATED"
                payload = encode({"id": found.sys_id, "type": kind, "date": found.sys_updated_on, "raw": raw})
                rows.append((f"{found.sys_id}-{found.sys_updated_on}", "new", 0, payload))
            store.execute("BEGIN IMMEDIATE")
            store.executemany("INSERT INTO outbox (event_id, status, due, payload) VALUES (?, ?, ?, ?)", rows)
            store.execute("INSERT INTO cursor VALUES (?)", (found.sys_updated_on,))
            store.execute("COMMIT")


def _decoders(*fields: str):
    """One for a page, which leaves its records as they are, and one for the named fields of a record."""
    import msgspec

    page = msgspec.defstruct("Page", [("result", list[msgspec.Raw])])
    key = msgspec.defstruct("Key", [(name, str) for name in fields])
    return msgspec.json.Decoder(page).decode, msgspec.json.Decoder(key).decode


def _read(session, port: int, offset: int) -> bytes:
    response = session.get(f"http://127.0.0.1:{port}/items?offset={offset}&limit={PAGE}", stream=True)
    return response.raw.read(decode_content=True)


def bare_get(port: int, polls: int) -> None:
    """A bare Session.get of an empty list."""
    import requests

    session = requests.Session()
    url = f"http://127.0.0.1:{port}/idle"
    session.get(url).json()
    with measured(polls):
        for _ in range(polls):
            session.get(url).json()


def bare_tls(ports: list[int], authority: str) -> None:
    """One request to each host, with one SSLContext for all of them."""
    import ssl

    import requests
    from requests.adapters import HTTPAdapter

    context = ssl.create_default_context(cafile=authority)

    class Shared(HTTPAdapter):
        def init_poolmanager(self, *args, **options):
            super().init_poolmanager(*args, **options, ssl_context=context)

        def build_connection_pool_key_attributes(self, request, verify, cert=None):
            host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
            pool.pop("ca_certs", None)
            return host, pool | {"ssl_context": context}

        def cert_verify(self, conn, url, verify, cert):
            conn.cert_reqs = "CERT_REQUIRED"

    session = requests.Session()
    session.trust_env = False
    session.mount("https://", Shared(pool_connections=len(ports)))
    with measured(len(ports)):
        for port in ports:
            session.get(f"https://127.0.0.1:{port}/idle").json()


# The app


@contextmanager
def engine_of(bases: list[str], resource_name: str, since: str = "2025-12-31T00:00:00Z"):
    """An engine on a new store with an instance per base URL, polling one resource each."""
    from connectory.app import App
    from connectory.instances.parts import Parts
    from connectory.plugins import Plugins
    from connectory.settings import Settings

    from . import element

    plugins = Plugins()
    plugins.register(element, "bench")
    with tempfile.TemporaryDirectory() as home:
        app = App(Parts(Settings.load(Path(home)), plugins=plugins))
        for base in bases:
            app.instances.create(body_of(base, resource_name, since))
        yield app
        app.close()


def body_of(base: str, resource_name: str, since: str) -> dict:
    from . import element

    return {
        "element": {"key": "bench"},
        "name": base,
        "configuration": {
            "base.url": base,
            "event.notification.enabled": True,
            "event.notification.callback.url": "http://127.0.0.1:9/",
            "event.poller.refresh_interval": "15",
            "event.poller.first_poll": since,
            "event.poller.configuration": {resource_name: element.resource(resource_name).poller},
        },
    }


def make_due(app) -> None:
    from connectory.clock import to_micros
    from connectory.store import polls

    with app.parts.database.write() as connection:
        ids = {poll.instance_id for poll in polls.find(connection)}
        polls.make_due(connection, ids, to_micros(app.parts.clock.now()))


def engine_news(port: int, records: int) -> None:
    with engine_of([f"http://127.0.0.1:{port}"], "items") as app:
        with measured(records):
            app.polls.run_due()
        _expect(app, records)


def engine_seen(port: int, records: int) -> None:
    """The same records a second time, all of them known and in the window."""
    with engine_of([f"http://127.0.0.1:{port}"], "items") as app:
        app.polls.run_due()
        _expect(app, records)
        _rewind(app)
        with measured(records):
            app.polls.run_due()
        _expect(app, records)


def _rewind(app) -> None:
    """Put the cursor back without forgetting what was announced, as a long overlap would."""
    from sqlalchemy import text

    with app.parts.database.write() as connection:
        connection.execute(text("UPDATE polls SET next_due_at = 0, since = seen_from"))


def _expect(app, records: int) -> None:
    from sqlalchemy import text

    with app.parts.database.read() as connection:
        found = connection.execute(text("SELECT count(*) FROM events")).scalar()
        failure = connection.execute(text("SELECT max(failure) FROM polls")).scalar()
    if found != records or failure:
        sys.exit(f"{found} events instead of {records}: {failure}")


def engine_idle(port: int, polls: int) -> None:
    """Polls of as many instances, none of which finds anything; each has been polled once before."""
    with engine_of([f"http://127.0.0.1:{port}"] * polls, "idle") as app:
        app.polls.run_due()
        make_due(app)
        with measured(polls):
            done = app.polls.run_due()
    if done != polls:
        sys.exit(f"{done} polls instead of {polls}")


def engine_tls(ports: list[int], authority: str) -> None:
    """A poll of each of many hosts, all of which are connected to anew."""
    os.environ["REQUESTS_CA_BUNDLE"] = authority
    with engine_of([f"https://127.0.0.1:{port}" for port in ports], "idle") as app:
        app.polls.run_due()
        make_due(app)
        app.parts.sessions.close()
        with measured(len(ports)):
            done = app.polls.run_due()
        if done != len(ports):
            sys.exit(f"{done} polls instead of {len(ports)}")
        _expect(app, 0)


SUBJECTS = {
    "bare_read": bare_read,
    "bare_pipeline": bare_pipeline,
    "bare_get": bare_get,
    "engine_news": engine_news,
    "engine_seen": engine_seen,
    "engine_idle": engine_idle,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--ports", type=json.loads, required=True)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--authority", default="")
    options = parser.parse_args()
    if options.name == "bare_tls":
        bare_tls(options.ports, options.authority)
    elif options.name == "engine_tls":
        engine_tls(options.ports, options.authority)
    else:
        SUBJECTS[options.name](options.ports[0], options.count)


if __name__ == "__main__":
    main()
