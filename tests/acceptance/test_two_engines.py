"""Two engines on one store at once: nothing is polled twice, nothing arrives out of order."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest
from test_kill import KEY, Collected, check, finish, instance_body, make_changes, process


@pytest.mark.timeout(300)
def test_two_engines_share_the_work(tmp_path):
    with (
        process("sandbox", "servicenowoauth", "--json") as sandbox,
        process("listen", "--port", "0", "--signature-key", KEY, "--json") as listener,
    ):
        base = json.loads(sandbox.stdout.readline())["url"]
        collected = Collected(listener.stdout)
        body, home = tmp_path / "body.json", tmp_path / "home"
        body.write_text(json.dumps(instance_body(base, collected.url)))
        create = [sys.executable, "-m", "connectory", "instances", "create", "--file", str(body), "--home", str(home)]
        subprocess.run(create, check=True, capture_output=True)
        polled: list[list[dict]] = [[], []]
        with (
            process("run", "servicenowoauth", "--json", home=home) as one,
            process("poll", "servicenowoauth", "--json", home=home) as two,
        ):
            for engine, lines in zip((one, two), polled, strict=True):
                threading.Thread(target=_collect, args=(engine.stdout, lines), daemon=True).start()
            make_changes(base, 600)
            reading = [sys.executable, "-m", "connectory", "events", "list", "--json", "--home", str(home)]
            assert subprocess.run(reading, check=True, capture_output=True, text=True).stdout
            time.sleep(1)
        finish(home, base, collected)
        check(home, base, collected)
    assert all(any(line["kind"] == "poll" for line in lines) for lines in polled), "both of them polled"
    told = [
        (line["objectType"], line["objectId"], line["sequence"])
        for lines in polled
        for line in lines
        if line["kind"] == "event"
    ]
    assert len(told) == len(set(told))


def _collect(stream, lines: list[dict]) -> None:
    lines.extend(json.loads(line) for line in stream)
