"""Sandbox, engine and receiver as processes: the engine is killed again and again, and each change is told once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from urllib.parse import urlencode

import pytest

CHANGES = 2000
KILLS = 10
KEY = "a key for the acceptance test"


@contextlib.contextmanager
def process(*arguments: str, home=None):
    environment = os.environ | ({"CONNECTORY_HOME": str(home)} if home else {})
    command = [sys.executable, "-m", "connectory", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.send_signal(signal.SIGINT)
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
                raise


def post(url: str, body: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def refresh_token(base: str) -> str:
    fields = {
        "grant_type": "password",
        "username": "integration",
        "password": "integration",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
    }
    with urllib.request.urlopen(f"{base}/oauth_token.do", urlencode(fields).encode(), timeout=30) as answer:
        return json.load(answer)["refresh_token"]


class Collected:
    """Reads what `connect listen --json` prints."""

    def __init__(self, stream) -> None:
        self.url = json.loads(stream.readline())["url"]
        self.received: list[dict] = []
        self._stream = stream
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            self.received.append(json.loads(line))


@pytest.mark.timeout(600)
def test_an_engine_that_is_killed_ten_times_loses_and_repeats_nothing(tmp_path):
    chance = random.Random(7)
    with (
        process("sandbox", "servicenowoauth", "--json") as sandbox,
        process("listen", "--port", "0", "--signature-key", KEY, "--json") as listener,
    ):
        base = json.loads(sandbox.stdout.readline())["url"]
        collected = Collected(listener.stdout)
        body = tmp_path / "body.json"
        body.write_text(json.dumps(instance_body(base, collected.url)))
        home = tmp_path / "home"
        created = [sys.executable, "-m", "connectory", "instances", "create", "--file", str(body), "--home", str(home)]
        subprocess.run(created, check=True, capture_output=True)
        before = set(people_state(base))
        assert before
        made = threading.Thread(target=make_changes, args=(base,))
        made.start()
        for _ in range(KILLS):
            with process("poll", "servicenowoauth", "--json", home=home) as engine:
                drain = threading.Thread(target=engine.stdout.read, daemon=True)
                drain.start()
                time.sleep(chance.uniform(1.0, 3.5))
                engine.kill()
        made.join()
        finish(home, base, collected)
        check(home, base, collected)


def instance_body(base: str, callback: str) -> dict:
    return {
        "element": {"key": "servicenowoauth"},
        "externalAuthentication": "initial",
        "configuration": {
            "servicenow.subdomain": base,
            "oauth.api.key": "sandbox-client",
            "oauth.api.secret": "sandbox-secret",
            "oauth.user.refresh_token": refresh_token(base),
            "event.notification.enabled": True,
            "event.notification.callback.url": callback,
            "event.notification.signature.key": KEY,
            "event.poller.refresh_interval": "0.02",
        },
    }


def make_changes(base: str, count: int = CHANGES) -> None:
    for _ in range(count // 20):
        post(f"{base}/_sandbox/steps", {"count": 20})
        time.sleep(0.2)


def people_state(base: str) -> dict[str, dict]:
    """Every record of the polled tables by its id."""
    found = {}
    for table in ("core_company", "sys_user", "incident"):
        with urllib.request.urlopen(f"{base}/_sandbox/records/{table}", timeout=60) as answer:
            records = json.load(answer)
        for row in records["records"] if isinstance(records, dict) else records:
            found[row["sys_id"]] = row | {"table": table}
    return found


def finish(home, base: str, collected: Collected) -> None:
    """Let one engine run in peace until everything has settled and was delivered."""
    with process("poll", "servicenowoauth", "--json", home=home) as engine:
        threading.Thread(target=engine.stdout.read, daemon=True).start()
        deadline = time.monotonic() + 120
        quiet_since, last = time.monotonic(), -1
        while time.monotonic() < deadline:
            time.sleep(0.5)
            count = len(collected.received)
            if count != last:
                quiet_since, last = time.monotonic(), count
            if time.monotonic() - quiet_since > 12:
                return
    raise AssertionError("it never came to rest")


def check(home, base: str, collected: Collected) -> None:
    store = sqlite3.connect(home / "connectory.db")
    rows = store.execute("SELECT resource, object_id, sequence, version, type FROM events ORDER BY id").fetchall()
    pending = store.execute("SELECT count(*) FROM deliveries WHERE status != 'delivered'").fetchone()[0]
    store.close()
    told: dict[tuple[str, str], list] = defaultdict(list)
    for resource, key, sequence, version, _ in rows:
        told[resource, key].append((sequence, version))
    truth = people_state(base)
    for (resource, key), events in told.items():
        assert [sequence for sequence, _ in events] == list(range(1, len(events) + 1)), (resource, key)
        assert len({version for _, version in events}) == len(events), "no version is announced twice"
        assert events[-1][1].rpartition("|")[2] == truth[key]["sys_mod_count"], "the last state was announced"
    assert {key for _, key in told} == {key for key, row in truth.items() if touched(row)}
    assert pending == 0
    assert all(notification["verified"] for notification in collected.received)
    assert not any(notification["outOfOrder"] for notification in collected.received)
    arrived = {
        (event["objectType"], event["objectId"], event["sequence"])
        for notification in collected.received
        for event in notification["events"]
    }
    assert arrived == {(resource, key, sequence) for resource, key, sequence, _, _ in rows}
    assert len(rows) > 100


def touched(row: dict) -> bool:
    """Changed by people in this test: seeded records bear older stamps."""
    return row["sys_updated_on"] > STARTED


STARTED = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
