"""One poll after another against the sandbox: what is announced, and when."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from werkzeug.wrappers import Response
from werkzeug.wrappers import Response as WsgiResponse

import toy as toys
from connectory.clock import from_micros, to_micros
from connectory.errors import StaleLeaseError
from connectory.ratelimits import Limit
from connectory.records.summary import Observer
from connectory.store import events, polls, tables
from shelf import Shelf, reply
from toy import Toy
from world import entry


def test_nothing_that_was_there_before_is_announced(snow):
    snow.create()
    assert snow.poll() == 1
    assert snow.told() == []


def test_created_then_updated_then_nothing(snow):
    snow.create()
    snow.clock.advance(10)
    incident = snow.sandbox.insert("incident", {"short_description": "the printer is on fire"})["sys_id"]
    snow.poll()
    assert snow.told() == [("incidents", incident, "CREATED", 1)]
    snow.sandbox.update("incident", incident, {"short_description": "it still is"})
    snow.poll()
    assert snow.told()[1:] == [("incidents", incident, "UPDATED", 2)]
    snow.poll()
    snow.poll()
    assert len(snow.told()) == 2


def test_what_is_paused_while_its_first_resource_is_polled_polls_no_other(snow):
    instance = snow.create("incidents", "accounts")
    snow.clock.advance(60)
    polled = []

    class Pausing(Observer):
        def polled(self, summary):
            polled.append(summary.pages)
            snow.app.instances.pause(instance)

    assert snow.app.polls.run_due(observer=Pausing()) == 2
    assert polled == [1, 0]


def test_what_is_paused_while_other_instances_are_polled_is_not_polled_a_second_later(snow):
    instances = {snow.create(), snow.create()}
    assert snow.poll() == 2
    snow.clock.advance(60)
    polled = []

    class Pausing(Observer):
        def polled(self, summary):
            polled.append(summary.pages)
            if len(polled) == 1:
                snow.clock.advance(2)
                snow.app.instances.pause((instances - {summary.instance_id}).pop())

    assert snow.app.polls.run_due(observer=Pausing()) == 2
    assert polled == [1, 0]


def test_an_old_record_that_changes_is_updated(snow):
    snow.create()
    snow.clock.advance(10)
    incident = next(iter(snow.sandbox.tables["incident"]))
    snow.sandbox.update("incident", incident, {"short_description": "changed"})
    snow.poll()
    assert snow.told() == [("incidents", incident, "UPDATED", 1)]


def test_records_that_share_one_second_at_the_windows_bound_are_announced_once(snow):
    snow.create()
    snow.poll()
    made = []
    for _ in range(4):
        # The bound of the next window lies five seconds back: make records on, before and after it, poll in between.
        made += [snow.sandbox.insert("incident", {"short_description": f"{number}"})["sys_id"] for number in range(3)]
        snow.poll(60)
        stamp = from_micros(snow.state().since)
        made.append(snow.sandbox.insert("incident", {"short_description": "late"}, at=stamp)["sys_id"])
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(made)


def test_records_that_appear_late_within_the_overlap_are_announced_once(snow):
    snow.create()
    snow.poll()
    since = from_micros(snow.state().since)
    late = [
        snow.sandbox.insert("incident", {"short_description": "late"}, at=since - timedelta(seconds=back))["sys_id"]
        for back in (0, 1, 30, 54)
    ]
    too_late = snow.sandbox.insert("incident", {}, at=since - timedelta(minutes=3))["sys_id"]
    snow.poll()
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(late)
    assert too_late not in {told[1] for told in snow.told()}


def test_an_idle_poll_is_one_request(snow):
    snow.create()
    snow.poll()
    before = snow.requests()
    snow.poll()
    assert snow.requests() - before == 1


def test_the_cursor_never_moves_back_and_a_failing_poll_does_not_move_it(snow):
    snow.create()
    snow.poll()
    since = snow.state().since
    with snow.switched(bad_gateway=True):
        snow.poll()
    state = snow.state()
    assert (state.since, state.failures) == (since, 1)
    assert state.next_due_at - state.failed_at <= 6_000_000
    snow.poll()
    assert snow.state().since > since
    assert snow.state().failures == 0


def test_a_missed_poll_is_covered_by_the_next(snow):
    snow.create()
    snow.poll()
    made = []
    for _ in range(5):
        snow.clock.advance(3600)
        made.append(snow.sandbox.insert("incident", {})["sys_id"])
    snow.poll(3600)
    assert [told[1] for told in snow.told()] == made


def test_contacts_and_agents_are_the_same_table_and_both_announced(snow):
    snow.create("contacts", "agents", "accounts", "incidents")
    snow.clock.advance(10)
    user = snow.sandbox.insert("sys_user", {"user_name": "ann", "first_name": "Ann"})["sys_id"]
    company = snow.sandbox.insert("core_company", {"name": "Birch"})["sys_id"]
    snow.poll()
    assert sorted(snow.told()) == [
        ("accounts", company, "CREATED", 1),
        ("agents", user, "CREATED", 1),
        ("contacts", user, "CREATED", 1),
    ]


def test_edits_at_the_same_time_add_up(snow):
    instance, names = snow.create(), ("incidents", "agents", "accounts", "contacts")
    keys = [f"servicenow.{name}.filter" for name in names]
    with ThreadPoolExecutor(4) as pool:
        edit = snow.app.instances.update
        list(pool.map(lambda key: edit(instance, configuration={key: "active=true"}), keys))
    config = snow.app.parts.runtimes.get(instance).config
    assert [config[key] for key in keys] == ["active=true"] * 4


def test_an_edit_of_the_configuration_never_touches_the_cursor_nor_announces_again(snow):
    instance = snow.create()
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    snow.poll()
    for _ in range(3):
        snow.poll(600)
    since = snow.state().since
    longer = {"event.poller.configuration": {"incidents": entry("incidents", overlap=7200, pollDelay=600)}}
    snow.app.instances.update(instance, configuration=longer)
    assert snow.state().since == since
    snow.poll()
    assert len(snow.told()) == 1


def test_an_instance_that_is_paused_is_not_polled_and_loses_nothing(snow):
    instance = snow.create()
    snow.app.instances.pause(instance)
    snow.clock.advance(10)
    incident = snow.sandbox.insert("incident", {})["sys_id"]
    assert snow.poll() == 0
    snow.app.instances.resume(instance)
    assert snow.poll() == 1
    assert [told[1] for told in snow.told()] == [incident]


def test_a_page_that_is_too_heavy_is_asked_for_again_in_halves(snow):
    snow.create()
    snow.clock.advance(10)
    made = [snow.sandbox.insert("incident", {})["sys_id"] for _ in range(300)]
    with snow.switched(cancel_after=260):
        snow.poll()
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(made)


def test_all_is_announced_from_the_beginning_where_that_is_asked_for(snow):
    snow.create(**{"event.poller.first_poll": "all"})
    snow.poll()
    assert len(snow.told()) == len(snow.sandbox.tables["incident"])
    assert {told[2] for told in snow.told()} == {"CREATED"}


@pytest.mark.parametrize("skew", [-30, 30])
def test_the_providers_clock_counts_not_ours(snow, skew):
    snow.sandbox.clock.skew(skew)
    # No overlap makes up for a place that is reckoned by the wrong clock.
    snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", overlap=0)}})
    snow.poll()
    made = []
    for seconds in (5, 20, 40):
        snow.clock.advance(seconds)
        made.append(snow.sandbox.insert("incident", {})["sys_id"])
        snow.poll(10)
        made.append(snow.sandbox.insert("incident", {})["sys_id"])
        snow.poll()
        assert from_micros(snow.state().since) == snow.sandbox.clock.now() - timedelta(seconds=5)
    snow.poll()
    assert [told[1] for told in snow.told()] == made


@pytest.mark.parametrize("fault", ["cut_json", "partial_200", "hibernate", "login_html", "server_error", "semaphore"])
def test_a_fault_in_mid_list_announces_nothing_twice_and_loses_nothing(snow, fault):
    snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pageSize=10)}})
    snow.clock.advance(10)
    made = [snow.sandbox.insert("incident", {})["sys_id"] for _ in range(35)]
    snow.sandbox.faults.script([None, None, fault])
    snow.poll()
    snow.poll()
    snow.poll()
    assert sorted(told[1] for told in snow.told()) == sorted(made)
    assert snow.state().failures == 0


# Numbers of events


@pytest.fixture
def toy(tmp_path):
    opened = []

    def make(**element):
        opened.append(Toy(tmp_path / f"toy{len(opened)}", **element))
        return opened[-1]

    yield make
    for world in opened:
        world.app.close()


def polling(**things) -> dict:
    """A configuration in which a toy's things are polled with these options."""
    plain = {"url": "/hubs/general/things", "idField": "id", "datesConfiguration": toys.DATES}
    return {"event.poller.configuration": {"things": plain | things}}


UNDATED = {"datesConfiguration": {"updatedDateField": "updated"}}


def numbered(world) -> list[tuple[str, str, int]]:
    with world.app.parts.database.read() as connection:
        return [(event.object_id, event.type, event.sequence) for event in events.find(connection, limit=None)]


def test_the_first_event_of_what_the_first_poll_only_remembered_is_number_1(toy):
    world = toy()
    world.things = [{"id": f"{number}", "name": "before"} for number in range(25)]
    world.create(**polling(**UNDATED))
    world.poll()
    assert world.told() == []
    world.things[3]["name"] = "after"
    world.things.append({"id": "25", "name": "new"})
    world.poll()
    assert numbered(world) == [("3", "UPDATED", 1), ("25", "CREATED", 1)]
    world.things[3]["name"] = "later"
    world.things[25]["name"] = "later"
    world.poll()
    assert numbered(world)[2:] == [("3", "UPDATED", 2), ("25", "UPDATED", 2)]


def test_what_is_ignored_after_the_first_poll_takes_no_number_either(toy):
    world = toy()
    world.things = [{"id": "0", "name": "before", "views": 0}]
    world.create(**polling(**UNDATED, ignoreFields=["views"]))
    world.poll()
    for views in (1, 2):
        world.things[0]["views"] = views
        world.poll()
    assert world.told() == []
    world.things[0]["name"] = "after"
    world.poll()
    assert numbered(world) == [("0", "UPDATED", 1)]


# Claims


@pytest.mark.parametrize("who", ["another process", "another thread of this process"])
@pytest.mark.parametrize("pages_before", [1, 4])
def test_a_poll_that_another_has_taken_over_between_two_pages_writes_nothing_more(toy, who, pages_before):
    world = toy()
    world.create(**polling())
    world.add(45)
    after, summaries = {}, []

    def contents() -> dict:
        with world.app.parts.database.read() as connection:
            every = tables.metadata.sorted_tables
            return {table.name: sorted(map(repr, connection.execute(table.select()))) for table in every}

    class TakingOver(Observer):
        def page_read(self, summary):
            if summary.pages == pages_before:
                late = to_micros(world.clock.now()) + 3_600_000_000
                owner = "another:1" if who == "another process" else world.app.parts.owner
                with world.app.parts.database.write() as connection:
                    assert len(polls.claim(connection, owner=owner, due_at=late, now=late, until=late, limit=9)) == 1
                after.update(contents())

        def polled(self, summary):
            summaries.append(summary)

    world.clock.advance(60)
    world.app.polls.run_due(observer=TakingOver())
    assert contents() == after
    assert len(world.told()) == 10 * pages_before
    (summary,) = summaries
    assert isinstance(summary.error, StaleLeaseError)
    assert "another worker has taken over" in summary.failure


# The provider's clock


def test_the_cursor_stays_when_the_providers_clock_goes_back(snow):
    snow.create()
    cursors, made = [], []
    for skew in (0, 0, -90, -85, -150, 0, 0):
        snow.clock.advance(60)
        snow.sandbox.clock.skew(skew)
        made.append(snow.sandbox.insert("incident", {})["sys_id"])
        snow.app.polls.run_due()
        cursors.append(snow.state().since)
    assert cursors == sorted(cursors)
    assert cursors[1] == cursors[2], "a poll of a clock that went back by more than the interval leaves it where it was"
    assert len(snow.told()) == len(set(snow.told()))


def test_the_cursor_follows_the_providers_clock_as_the_polls_own_answer_shows_it(snow):
    snow.create()
    snow.poll()
    for skew in (-30, 25):
        snow.sandbox.clock.skew(skew)
        # Where the clock was put forward, the window's end was fixed before that was known.
        snow.poll(600)
        known = skew if skew < 0 else -30
        assert from_micros(snow.state().since) == snow.clock.now() + timedelta(seconds=known - 5)
        snow.poll(600)
        assert from_micros(snow.state().since) == snow.clock.now() + timedelta(seconds=skew - 5)


def test_a_window_is_asked_for_as_soon_as_it_has_settled(snow):
    """Five seconds after its start: some records show up only after their updated date."""
    snow.create()
    begun, asked = snow.clock.now(), snow.requests()
    assert snow.poll(4) == 1
    state = snow.state()
    assert (state.polled_at, snow.requests()) == (None, asked)
    assert state.next_due_at - to_micros(snow.clock.now()) == 6_000_000
    assert snow.poll(6) == 1
    assert from_micros(snow.state().since) == begun + timedelta(seconds=5)


def test_a_window_of_one_moment_is_asked_for(snow):
    snow.create()
    begun = snow.clock.now()
    assert snow.poll(5) == 1
    state = snow.state()
    assert state.polled_at == to_micros(snow.clock.now())
    assert from_micros(state.since) == begun


def test_what_changed_before_the_poll_began_is_announced_though_it_has_not_settled(toy):
    """`filterByCurrentDate` leaves to the next poll what is newer than this poll, not what is newer than its window."""
    world = toy()
    world.create(**polling(filterByCurrentDate=True))
    world.clock.advance(58)
    world.add(1)
    world.poll(2)
    assert world.told() == ["0"]


# Refusals


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_each_refusal_is_counted_and_told_and_makes_the_next_wait_longer(toy, status):
    world = toy()
    world.create(**polling())
    world.poll()
    before = world.states()[0]
    summaries = []

    class Watching(Observer):
        def polled(self, summary):
            summaries.append(summary)

    world.answer = lambda _request: Response("", status=status)
    for number in range(1, 6):
        world.clock.advance(3600)
        world.app.polls.run_due(observer=Watching())
        (poll,) = world.states()
        assert (poll.failures, poll.failed_at) == (number, to_micros(world.clock.now()))
        assert (poll.since, poll.polled_at, poll.summary) == (before.since, before.polled_at, before.summary)
        assert str(status) in poll.failure
        assert summaries[-1].failure == poll.failure == str(summaries[-1].error)
        assert summaries[-1].as_dict()["failure"] == poll.failure
        wait = (poll.next_due_at - poll.failed_at) / 1_000_000
        assert 0.8 * 5 * 2 ** (number - 1) <= wait <= 1.2 * 5 * 2 ** (number - 1)
    assert len(summaries) == 5
    world.answer = None
    world.poll(3600)
    (poll,) = world.states()
    assert (poll.failures, poll.failure, poll.failed_at) == (0, None, None)
    assert poll.polled_at == to_micros(world.clock.now())


def test_a_refusal_that_asks_for_time_gets_it_each_time(toy):
    world = toy()
    world.create(**polling())
    world.answer = toys.too_many(600)
    for number in (1, 2):
        world.poll(3600)
        (poll,) = world.states()
        assert poll.failures == number
        assert 600 <= (poll.next_due_at - poll.failed_at) / 1_000_000 <= 660


def test_a_refused_login_is_counted_as_a_failure_and_pauses_the_instance(toy):
    world = toy()
    instance = world.create(**polling())
    world.answer = lambda _request: Response("", status=401)
    world.poll()
    (poll,) = world.states()
    assert (poll.failures, poll.failed_at) == (1, to_micros(world.clock.now()))
    assert "refused the access token" in poll.failure
    assert world.app.instances.get(instance).state == "needs_reauth"
    assert world.poll(86_400) == 0


def test_a_poll_that_is_put_off_for_its_account_is_no_failure_and_says_why(toy):
    world = toy(limits=(Limit(),))
    for _ in range(2):
        world.create(**polling())
    world.answer = toys.too_many(600)
    world.poll()
    refused, waiting = sorted(world.states(), key=lambda poll: -poll.failures)
    assert (refused.failures, waiting.failures) == (1, 0)
    assert (waiting.failed_at, waiting.polled_at) == (None, None)
    assert waiting.failure
    assert 600 <= (waiting.next_due_at - to_micros(world.clock.now())) / 1_000_000 <= 660 + 30


# Pages


def test_a_page_size_that_was_too_large_is_not_tried_again(snow):
    snow.create()
    snow.clock.advance(10)
    for _ in range(300):
        snow.sandbox.insert("incident", {})
    with snow.switched(cancel_after=260):
        snow.poll()
        for _ in range(300):
            snow.sandbox.insert("incident", {})
        snow.sandbox.log.clear()
        snow.poll()
    assert len(snow.told()) == 600
    assert snow.state().failures == 0
    sizes = [int(call.params["sysparm_limit"]) for call in snow.sandbox.log.entries if "/table/" in call.path]
    assert len(set(sizes)) == 1
    assert sizes[0] < 1000


def test_each_page_takes_one_request_of_the_budget(toy):
    """A burst of ten is used up by ten pages, and not before."""
    world = toy(limits=(Limit(requests=100),))
    world.create(**polling())
    world.add(95)
    world.poll()
    assert {moment - world.asked[0] for moment in world.asked} == {timedelta(0)}
    assert len(world.asked) == 10
    begun = world.clock.now()
    world.poll(3600)
    assert {moment - begun for moment in world.asked[10:]} == {timedelta(hours=1)}


def test_what_a_page_says_of_the_budget_counts_before_the_next_page(toy):
    world = toy(limits=(Limit(),))
    world.create(**polling())
    world.add(25)
    used_up = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "300"}
    left = iter([used_up])
    world.answer = lambda request: answer_with(world, request, next(left, {}))
    world.poll()
    assert [(moment - world.asked[0]) >= timedelta(seconds=300) for moment in world.asked] == [False, True, True]
    assert len(world.told()) == 25


def answer_with(world, request, headers):
    offset = int(request.args["offset"])
    return Response(json.dumps(world.things[offset : offset + 10]), headers=headers, content_type="application/json")


def test_a_poll_counts_what_it_found(tmp_path):
    with Shelf(tmp_path) as shelf:
        for key in ("a", "b", "c"):
            shelf.put(key)
        shelf.clock.advance(3600)
        shelf.create(trackDeletes=False)
        shelf.clock.advance(10)
        shelf.put("d")
        shelf.poll()
        for key in ("a", "d", *"efghijklm"):
            shelf.put(key)
        rows = [*shelf.things.values(), *({} for _ in range(3))]
        shelf.answer = lambda _request: reply(rows, headers={"X-Total-Count": str(len(shelf.things))})
        shelf.poll()
        counts = {name: count for name, count in shelf.poll_state().summary.items() if type(count) is int}
    assert counts == {
        "pages": 1,
        "records": 16,
        "created": 9,
        "updated": 2,
        "beforeWindow": 2,
        "hidden": 3,
    }


# How far back a poll asks


def asked_since(toy) -> list[str]:
    """The lower bound of each request from now on, as it was sent."""
    bounds: list[str] = []

    def listen(request):
        bounds.append(request.args["since"])

    toy.answer = listen
    return bounds


def polled_since(pattern: str, **more) -> dict:
    """The entry of things whose stamps have this pattern."""
    things = {
        "url": f"/hubs/general/things?since=${{gmtDate:{pattern}}}",
        "idField": "id",
        "datesConfiguration": {"updatedDateField": "updated", "updatedDateFormat": pattern},
    }
    return {"event.poller.configuration": {"things": things | more}}


SECONDS = "yyyy-MM-dd'T'HH:mm:ss'Z'"


def test_the_poll_delay_is_added_to_the_overlap(tmp_path):
    """A poll starts that much further back, finds what became visible so late, and announces nothing twice."""
    with Toy(tmp_path, settle=timedelta(0)) as toy:
        toy.create(**polled_since(SECONDS, overlap=60, pollDelay=240))
        for _ in range(20):
            toy.poll()
        bounds, cursor = asked_since(toy), from_micros(toy.states()[0].since)
        toy.poll()
        # One second more, for the provider may leave out what is on the bound.
        assert bounds == [f"{cursor - timedelta(seconds=301):%Y-%m-%dT%H:%M:%SZ}"]
        cursor = from_micros(toy.states()[0].since)
        late = [cursor - timedelta(seconds=seconds) for seconds in (299, 300, 301)]
        toy.things = [
            {"id": str(number), "updated": f"{stamp:%Y-%m-%dT%H:%M:%SZ}"} for number, stamp in enumerate(late)
        ]
        for _ in range(10):
            toy.poll()
        assert toy.told() == ["0", "1"]


@pytest.mark.parametrize(
    ("pattern", "bounds"),
    [
        ("yyyy-MM-dd", ["2025-12-30", "2025-12-30", "2025-12-30", "2025-12-31"]),
        ("yyyy-MM-dd'T'HH", ["2026-01-01T10", "2026-01-01T10", "2026-01-01T14", "2026-01-04T13"]),
    ],
)
def test_days_and_hours_are_asked_for_from_one_unit_earlier(tmp_path, pattern, bounds):
    """A window starts one unit before the moment, as other zones' days do; what is sent is a unit before that."""
    with Toy(tmp_path, settle=timedelta(0)) as toy:
        toy.create(**polled_since(pattern))
        asked = asked_since(toy)
        # The instance began at noon; the polls are at 12:30 and 18:30, three days later at 17:30 and at 18:30.
        for hours in (0.5, 6, 71, 1):
            toy.poll(3600 * hours)
        assert asked == bounds


@pytest.mark.parametrize("pattern", ["yyyy-MM-dd", "yyyy-MM-dd'T'HH"])
def test_no_record_with_a_coarse_stamp_is_lost_to_a_provider_that_leaves_out_the_bound(tmp_path, pattern):
    with Toy(tmp_path, settle=timedelta(0)) as toy:
        toy.create(**polled_since(pattern))
        stamp = {"yyyy-MM-dd": "%Y-%m-%d", "yyyy-MM-dd'T'HH": "%Y-%m-%dT%H"}[pattern]

        def later(request):
            found = [thing for thing in toy.things if thing["updated"] > request.args["since"]]
            page = found[int(request.args["offset"]) :][: int(request.args["limit"])]
            return WsgiResponse(json.dumps(page), content_type="application/json")

        toy.answer = later
        for number in range(60):
            toy.clock.advance(1800)
            toy.things.append({"id": str(number), "updated": toy.clock.now().strftime(stamp)})
            toy.poll(1800)
        toy.poll(2 * 86_400)
        toy.poll(86_400)
        assert sorted(toy.told(), key=int) == [str(number) for number in range(60)]


# Answers that are none


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_an_empty_answer_is_a_failure_and_not_a_page_without_records(tmp_path, body):
    with Toy(tmp_path) as toy:
        toy.create()
        toy.poll()
        before = toy.states()[0]
        toy.add(3)
        toy.answer = lambda _request: WsgiResponse(body, content_type="application/json")
        for _ in range(5):
            toy.poll(600)
        state = toy.states()[0]
        assert (state.since, state.polled_at, state.failures) == (before.since, before.polled_at, 5)
        assert "is not a list of records" in state.failure
        toy.answer = None
        toy.poll(3600)
        assert toy.told() == ["0", "1", "2"]
