"""Whatever happens, each change is announced once: a model-based test of the engine against the sandbox.

The sandbox's tables are the truth. Between two looks at them people change records, clocks jump, the provider breaks,
the process is killed, the configuration is edited. `make soak` runs many more examples.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from test_crash import Killed, Killer

from connectory.clock import from_micros
from connectory.plans import plan as plans
from connectory.polling import pages, reading
from connectory.testing.transport import WsgiAdapter
from connectory_servicenow import paging
from world import Snow, entry

pytestmark = pytest.mark.usefixtures("small_heap")

FAULTS = [
    "partial_200",
    "cut_json",
    "hibernate",
    "login_html",
    "bad_gateway",
    "rate_limited",
    "semaphore",
    "server_error",
    "dropped",
]
OVERLAP = timedelta(seconds=60)
PAUSES = st.sampled_from([60, 60, 200, 900])


class Truth(RuleBasedStateMachine):
    """Rules change the world; `teardown` lets everything settle and compares."""

    fixed_page_size: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.snow = Snow(Path(self.folder.name), incidents=4)
        self.patch = pytest.MonkeyPatch()
        self.skewed = False
        self.late: set[str] = set()
        self.gone: dict[str, int] = {}
        self.since = 0

    @initialize(page_size=st.integers(2, 4))
    def begin(self, page_size):
        self.page_size = self.fixed_page_size or page_size
        table = self.incidents
        self.old = {key: table[key]["sys_mod_count"] for key in table}
        self.instance = self.snow.create(**self.configured(60))
        # A clock that is put back behind the instance's beginning makes changes look older than the instance.
        self.snow.poll(120)

    def configured(self, overlap: int) -> dict:
        return {
            "event.poller.configuration": {
                "incidents": entry("incidents", pageSize=self.page_size, overlap=overlap, trackDeletes=True),
            }
        }

    # What people do

    @rule(count=st.integers(1, 9))
    def create(self, count):
        for _ in range(count):
            self.snow.sandbox.insert("incident", {"short_description": "new"})

    @rule(data=st.data(), count=st.integers(1, 3))
    def update(self, data, count):
        for _ in range(count):
            incident = data.draw(st.sampled_from([None, *sorted(self.incidents)]))
            if incident is not None:
                self.snow.sandbox.update(
                    "incident", incident, {"short_description": f"changed {self.snow.clock.now()}"}
                )

    @rule(data=st.data())
    def delete(self, data):
        """Somebody deletes an incident, be it old, just made, or never read; the log of deletions says so."""
        self.remove(data.draw(st.sampled_from([None, *sorted(self.incidents)])))

    @property
    def incidents(self):
        return self.snow.sandbox.tables["incident"]

    def remove(self, incident):
        if incident is not None:
            self.gone[incident] = int(self.incidents[incident]["sys_mod_count"])
            self.snow.sandbox.delete("incident", incident)

    @precondition(lambda self: not self.skewed)
    @rule(back=st.integers(0, 64))
    def commit_late(self, back):
        """A row becomes visible some time after its stamp, up to the very edge of what the overlap covers."""
        edge = from_micros(self.snow.state().since) - OVERLAP
        stamp = max(edge, self.snow.clock.now() - timedelta(seconds=back), self.first_moment())
        self.late.add(self.snow.sandbox.insert("incident", {"short_description": "late"}, at=stamp)["sys_id"])

    @precondition(lambda self: not self.skewed)
    @rule()
    def commit_at_the_edge(self):
        edge = max(from_micros(self.snow.state().since) - OVERLAP, self.first_moment())
        for _ in range(2):
            late = self.snow.sandbox.insert("incident", {"short_description": "at the edge"}, at=edge)
            self.late.add(late["sys_id"])

    def first_moment(self):
        """Rows from before the instance are none of its business."""
        return from_micros(self.snow.state().seen_from) if not self.snow.told() else self.begun

    @property
    def begun(self):
        return self.snow.app.instances.get(self.instance).created_date

    # What happens

    @rule(seconds=st.sampled_from([0, 1, 4, 30, 70, 900]))
    def time_passes(self, seconds):
        self.snow.clock.advance(seconds)

    @rule(seconds=st.integers(-30, 30))
    def clock_jumps(self, seconds):
        self.skewed = True
        self.snow.sandbox.clock.skew(seconds)

    @rule()
    def poll(self):
        self.snow.poll()

    @rule(faults=st.lists(st.sampled_from([None, *FAULTS]), min_size=1, max_size=4), after=PAUSES)
    def poll_through_faults(self, faults, after):
        self.snow.sandbox.faults.script(faults)
        self.snow.poll(after)
        self.snow.sandbox.faults.clear()

    @rule()
    def poll_while_the_query_is_ignored(self):
        """Rights to query a field may go and come: without them the condition and the order are dropped."""
        self.snow.sandbox.faults.always(["ignored_query"])
        self.snow.poll()
        self.snow.sandbox.faults.clear()

    @rule(changes=st.integers(1, 4), after=PAUSES)
    def poll_while_people_write(self, changes, after):
        with self.snow.switched(steps_per_call=changes):
            self.snow.poll(after)

    @rule(calls=st.integers(1, 4), data=st.data(), after=PAUSES)
    def poll_while_somebody_deletes(self, calls, data, after):
        """Between two pages of the log or of the list."""
        doomed = data.draw(st.sampled_from([None, *sorted(self.incidents)]))
        sent, send = iter(range(100)), WsgiAdapter.send

        def sending(adapter, request, *args, **options):
            response = send(adapter, request, *args, **options)
            if next(sent) == calls:
                self.remove(doomed)
            return response

        with self.patch.context() as patched:
            patched.setattr(WsgiAdapter, "send", sending)
            self.snow.poll(after)

    @rule(at=st.integers(0, 90))
    def killed(self, at):
        self.snow.clock.advance(60)
        killer = Killer(at)
        with killer.watching(self.snow, self.patch), contextlib.suppress(Killed):
            self.snow.app.polls.run_due()
        if killer.passed > at:
            killer.bury()
            self.snow.die()

    @rule(overlap=st.sampled_from([60, 120, 600]))
    def edit(self, overlap):
        self.snow.app.instances.update(self.instance, configuration=self.configured(overlap))

    # What must hold

    @invariant()
    def the_cursor_never_moves_back(self):
        since = self.snow.state().since
        assert since >= self.since
        self.since = since

    def teardown(self):
        try:
            if hasattr(self, "instance"):
                self.settle()
                self.compare()
        finally:
            self.patch.undo()
            self.snow.app.close()
            self.folder.cleanup()

    def settle(self):
        for _ in range(4):
            self.snow.poll(2000)
        assert self.snow.state().failures == 0, self.snow.state().failure
        searched = self.searched()
        assert searched.failures == 0, searched.failure

    def searched(self):
        from connectory.store import deletions

        with self.snow.app.parts.database.read() as connection:
            return deletions.get(connection, self.instance, "incidents")

    def compare(self):
        told: dict[str, list[tuple[str, int, str]]] = {}
        for event in self.events():
            told.setdefault(event.object_id, []).append((event.type, event.sequence, event.version))
        truth = self.incidents
        changed = {key for key in truth if key not in self.old or truth[key]["sys_mod_count"] != self.old[key]}
        assert set(told) == changed | set(self.gone)
        for key, events in told.items():
            assert [sequence for _, sequence, _ in events] == list(range(1, len(events) + 1))
            if key in self.gone:
                assert events.pop()[0] == "DELETED", "it is gone, and nothing comes after that"
            self.compare_life(key, events)

    def compare_life(self, key, events):
        """What was told of an object before its end; nothing, where it was gone before it was read."""
        counts = [int(version.rpartition("|")[2]) for _, _, version in events]
        assert counts == sorted(set(counts)), "in order, none twice"
        if key in self.gone:
            assert all(count <= self.gone[key] for count in counts)
        else:
            record = self.incidents[key]
            assert events[-1][2] == f"{record['sys_updated_on']}|{record['sys_mod_count']}", "the last state wins"
        kinds = [kind for kind, _, _ in events]
        assert kinds[1:] == ["UPDATED"] * len(kinds[1:])
        # One that was committed late, and changed before it was read, was created before the last poll.
        assert not kinds or key in self.late or kinds[0] == ("UPDATED" if key in self.old else "CREATED")

    def events(self):
        from connectory.store import events

        with self.snow.app.parts.database.read() as connection:
            return events.find(connection, limit=None)


EXAMPLES = int(os.environ.get("CONNECTORY_TRUTH_EXAMPLES", "200"))

BASE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


@pytest.mark.timeout(3600)
def test_each_change_is_announced_once_whatever_happens():
    run_state_machine_as_test(Truth, settings=BASE)


# The machine must notice the mistakes that pollers usually make


def strict_bound(patch):
    """`>` from the very bound: rows that share the bound's second are lost."""
    from connectory.hookspecs import hookimpl
    from connectory.plugins import builtin
    from connectory.templates import parse_template

    @hookimpl(trylast=True)
    def connect_render_template(element, resource, template, window):
        return parse_template(template).render(window.start)

    patch.setattr(builtin, "connect_render_template", connect_render_template)


def no_overlap(patch):
    patch.setattr(plans.Plan, "reach", property(lambda self: timedelta(0)))


def cursor_before_outbox(patch):
    """The cursor is committed first, the events after it, in a transaction of their own."""
    take = pages.Pages.take

    def hasty(self, run, page):
        if page.last:
            with self._database.write() as connection:
                from sqlalchemy import update

                from connectory.store.tables import polls

                end = run.bounds.end + 60_000_000
                connection.execute(update(polls).values(since=end, seen_from=end))
        take(self, run, page)

    patch.setattr(pages.Pages, "take", hasty)


def dedupe_on_the_id_only(patch):
    sort_out = reading.Reading.sort_out

    def forgetful(self, records, known):
        before = set(known)
        changes = sort_out(self, records, known)
        return [change for change in changes if change.object_id not in before]

    patch.setattr(reading.Reading, "sort_out", forgetful)


def offset_paging(patch):
    def walk(self, request, query):
        offset = 0
        ordered = request.param("sysparm_query") + "^ORDERBYsys_updated_on^ORDERBYsys_id"
        while True:
            page = yield request.with_params(
                sysparm_query=ordered, sysparm_limit=str(query.page_size), sysparm_offset=str(offset)
            )
            offset += query.page_size
            if page.rows < query.page_size:
                return

    patch.setattr(paging.KeysetPages, "walk", walk)
    # Rows move between pages; the more of them there are, the sooner it shows.
    patch.setattr(Truth, "fixed_page_size", 2)


MUTANTS = [
    strict_bound,
    no_overlap,
    cursor_before_outbox,
    dedupe_on_the_id_only,
    offset_paging,
]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_machine_notices(mutant, monkeypatch):
    mutant(monkeypatch)
    quick = settings(BASE, max_examples=400, phases=[Phase.generate], print_blob=False, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Truth, settings=quick)
