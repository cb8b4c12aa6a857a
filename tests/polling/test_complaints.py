"""One test for each complaint about polling that other tools' users keep making; `docs/explanation/polling.md` lists
them with what is done about each."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from connectory import Secret, Token
from connectory.auth import BearerAuth
from connectory.clock import from_micros
from connectory.http import Client
from connectory.instances.views import poll_state
from connectory.model import Action, Request, Verdict
from connectory.polling.leases import free
from connectory.secrets import install_redaction
from connectory.store import deletions, instances, polls, tables
from connectory.testing.transport import wsgi_sessions
from toy import HOST, Toy, ToyPlugin, too_many
from world import entry


def rotating(snow):
    snow.sandbox.switches = replace(
        snow.sandbox.switches, oauth=replace(snow.sandbox.switches.oauth, rotate_refresh=True, access_ttl=1800)
    )


def renewals(snow):
    return [call for call in snow.sandbox.log.entries if call.grant == "refresh_token"]


def incident(snow, **values):
    return snow.sandbox.insert("incident", values)["sys_id"]


def ids(snow):
    return [told[1] for told in snow.told()]


# Logins


def test_complaint_01_the_rotated_refresh_token_is_kept(snow):
    rotating(snow)
    instance = snow.create()
    first = snow.app.parts.tokens.load(instance).refresh_token
    for _ in range(4):
        snow.poll(3600)
        snow.die()
    assert snow.state().failures == 0
    assert len(renewals(snow)) == 4
    assert snow.app.parts.tokens.load(instance).refresh_token != first


def test_complaint_02_a_renewal_that_died_does_not_hold_the_others(snow):
    rotating(snow)
    instance = snow.create()
    with snow.app.parts.database.write() as connection:
        held = {"lease_owner": "gone", "lease_until": 2**60, "lease_epoch": 9}
        connection.execute(tables.credentials.update().values(held))
    free(snow.app.parts.database, ["gone"])
    snow.poll(3600)
    assert snow.state().failures == 0
    assert snow.app.instances.get(instance).state == instances.ACTIVE


def test_complaint_03_renewal_comes_before_the_end_without_being_asked_for(snow):
    rotating(snow)
    snow.create()
    # How long the first token lives was not said; from its renewal on it is known.
    snow.poll(3600)
    before = len(renewals(snow))
    snow.sandbox.log.clear()
    snow.poll(3600)
    assert before == len(renewals(snow)) == 1
    assert [call for call in snow.sandbox.log.entries if call.status == 401] == []


def test_complaint_04_an_answer_that_means_expired_is_understood_whatever_its_status():
    """A provider that answers 403 or 200 with an error: its judge says that the token was refused."""
    from werkzeug.wrappers import Response

    good = Token(access_token=Secret("good"))

    class Tokens:
        token = Token(access_token=Secret("old"))

        def current(self):
            return self.token

        def renew(self, rejected):
            self.token = good
            return good

    def answer(environ, start_response):
        body = '{"ok": true}' if environ["HTTP_AUTHORIZATION"] == "Bearer good" else '{"error": "expired"}'
        return Response(body, content_type="application/json")(environ, start_response)

    def judge(response):
        return Verdict(action=Action.RENEW if b"expired" in response.body else Action.ACCEPT)

    sessions = wsgi_sessions({HOST: answer})
    client = Client(base_url=f"http://{HOST}", auth=BearerAuth(Tokens()), judge=judge, sessions=sessions)
    assert client.send(Request(path="/")).json() == {"ok": True}


def test_complaint_05_a_revoked_login_is_no_matter_of_waiting(snow):
    instance = snow.create()
    snow.poll()
    snow.sandbox.authority.expire("all")
    snow.poll()
    shown = snow.app.instances.get(instance)
    assert (shown.state, shown.valid) == ("needs_reauth", False)
    asked = len(snow.sandbox.log.entries)
    snow.poll(86_400)
    assert len(snow.sandbox.log.entries) == asked


# What is announced


def test_complaint_06_rows_around_the_cursors_second_are_announced(snow):
    snow.create()
    snow.poll()
    bound = from_micros(snow.state().since)
    made = [
        snow.sandbox.insert("incident", {}, at=bound + timedelta(seconds=seconds))["sys_id"]
        for seconds in (-1, 0, 0, 1)
    ]
    snow.poll()
    snow.poll()
    assert sorted(ids(snow)) == sorted(made)


def test_complaint_07_ties_across_pages_are_announced(snow):
    snow.create(**{"event.poller.configuration": {"incidents": entry("incidents", pageSize=3)}})
    snow.clock.advance(10)
    made = [incident(snow) for _ in range(10)]
    # The process ends between two pages, and another one goes on.
    snow.sandbox.faults.script([None, None, "dropped"])
    snow.poll()
    snow.die()
    snow.poll()
    assert sorted(ids(snow)) == sorted(made)


def test_complaint_08_what_is_remembered_does_not_grow(snow):
    snow.create()
    counts = []
    for _ in range(8):
        for _ in range(20):
            incident(snow)
        snow.poll(120)
        with snow.app.parts.database.read() as connection:
            counts.append(connection.exec_driver_sql("SELECT count(*) FROM seen").scalar())
    assert max(counts) <= 60
    assert len(json.dumps(snow.state().summary)) < 500


def test_complaint_09_late_rows_are_found_without_a_flag(snow):
    snow.create()
    snow.poll()
    late = snow.sandbox.insert("incident", {}, at=from_micros(snow.state().since) - timedelta(seconds=50))["sys_id"]
    snow.poll()
    assert ids(snow) == [late]


def test_complaint_10_later_updates_of_one_object_are_announced(snow):
    snow.create()
    snow.clock.advance(10)
    made = incident(snow)
    snow.poll(20)
    for number in range(3):
        snow.clock.advance(40)
        snow.sandbox.update("incident", made, {"urgency": str(number % 3 + 1), "short_description": f"{number}"})
        snow.poll(20)
    assert [told[2:] for told in snow.told()] == [("CREATED", 1), ("UPDATED", 2), ("UPDATED", 3), ("UPDATED", 4)]


def test_complaint_11_an_edit_does_not_move_the_cursor(snow):
    instance = snow.create()
    snow.poll()
    since = snow.state().since
    made = incident(snow)
    changed = {
        "event.poller.refresh_interval": 5,
        "event.poller.configuration": {"incidents": entry("incidents", pageSize=9)},
    }
    snow.app.instances.update(instance, name="another", configuration=changed)
    assert snow.state().since == since
    snow.poll(600)
    assert ids(snow) == [made]


def test_complaint_12_what_was_found_and_the_place_are_written_together(snow, monkeypatch):
    snow.create()
    snow.poll()
    since, made = snow.state().since, incident(snow)

    def crash(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(polls, "finish", crash)
        with pytest.raises(KeyboardInterrupt):
            snow.poll()
    assert (snow.told(), snow.state().since) == ([], since)
    snow.die()
    snow.poll()
    assert ids(snow) == [made]


def test_complaint_13_two_engines_on_one_store_announce_once(snow):
    snow.create()
    snow.clock.advance(10)
    made = incident(snow)
    other = snow._open()
    try:
        snow.clock.advance(60)
        ran = [app.polls.run_due() for app in (snow.app, other)]
        assert ran == [1, 0]
    finally:
        other.close()
    assert ids(snow) == [made]


def test_complaint_14_a_failing_source_is_left_alone_and_says_so(tmp_path):
    with Toy(tmp_path) as toy:
        toy.create()
        toy.answer = too_many(900)
        for _ in range(30):
            toy.poll(30)
        assert len(toy.asked) == 1
        shown = poll_state(toy.states()[0])
        assert shown.failures == 1
        assert shown.failure
        assert shown.waiting_until > toy.clock.now()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu"])
def test_complaint_15_zones_skip_nothing(snow, zone):
    with snow.switched(instance_zone=zone, user_zone=zone):
        snow.create()
        snow.poll()
        made = []
        for _ in range(5):
            snow.clock.advance(1800)
            made.append(incident(snow))
            snow.poll()
        assert ids(snow) == made


def test_complaint_16_a_list_alone_knows_nothing_of_deletes(snow):
    """They are found where an entry asks for them with `trackDeletes`."""
    snow.create()
    snow.clock.advance(10)
    gone = incident(snow)
    snow.poll()
    snow.sandbox.delete("incident", gone)
    snow.poll()
    assert [told[2] for told in snow.told()] == ["CREATED"]


def test_complaint_17_a_partial_list_deletes_nothing(snow):
    """Nothing but the completeness of the list guards the records: all may vanish at once, and no GET asks for them."""
    for number in range(120):
        snow.sandbox.insert("sys_user", {"user_name": f"user{number}"})
    snow.clock.advance(60)
    tracked = {"interval": 1, "confirm": False, "maxShare": 1}
    snow.create(**{"event.poller.configuration": {"agents": entry("agents", trackDeletes=tracked)}})
    snow.poll()
    for fault in ("hidden_rows", "hidden_rows=0.01", "empty_page", "partial_200", "cut_json", "dropped"):
        snow.sandbox.faults.always([fault])
        # Two lists in a row must miss a record before it counts as deleted.
        for _ in range(3):
            snow.poll(7200)
        snow.sandbox.faults.clear()
        assert snow.told() == [], fault
        assert searched(snow).failure, fault
    gone = next(iter(snow.sandbox.tables["sys_user"]))
    snow.sandbox.delete("sys_user", gone)
    for _ in range(3):
        snow.poll(7200)
    assert snow.told() == [("agents", gone, "DELETED", 1)]


def searched(snow) -> deletions.DeletionRow:
    with snow.app.parts.database.read() as connection:
        (found,) = deletions.find(connection, snow.state("agents").instance_id)
    return found


def test_complaint_18_an_event_says_which_version_of_the_object_it_is(snow):
    """Which fields changed is told where an entry asks for it with `trackChanges`."""
    snow.create(**{"event.notification.callback.url": "https://app.example/hook"})
    snow.clock.advance(10)
    made = incident(snow, short_description="before")
    snow.poll()
    snow.sandbox.update("incident", made, {"short_description": "after"})
    snow.poll()
    with snow.app.parts.database.read() as connection:
        bodies = [json.loads(row.body) for row in connection.execute(tables.notifications.select())]
    assert [body["message"]["events"][0]["sequence"] for body in bodies] == [1, 2]
    assert bodies[1]["message"]["raw"]["incidents"][0]["short_description"] == "after"


# Living with it


def test_complaint_23_a_plugin_that_is_gone_breaks_its_own_polls_only(snow):
    snow.app.parts.plugins.register(ToyPlugin(), "toy")
    toy = {"element": {"key": "toy"}, "configuration": {"event.notification.enabled": True}}
    orphan = snow.app.instances.establish(snow.app.instances.prepare(toy), None).id
    snow.create()
    snow.die()
    assert snow.poll(600) == 2
    assert snow.state().failures == 0
    assert "toy" in (snow.app.instances.get(orphan).polls[0].failure or "")
    snow.app.instances.delete(orphan)
    assert snow.poll() == 1


def test_complaint_25_no_token_is_in_a_log(snow, caplog):
    install_redaction([caplog.handler])
    caplog.set_level(logging.DEBUG)
    rotating(snow)
    instance = snow.create()
    snow.poll(3600)
    snow.sandbox.authority.expire("all")
    snow.poll(3600)
    token = snow.app.parts.tokens.load(instance)
    logging.getLogger("somebody.elses").warning("sent %s", token.access_token.reveal())
    assert caplog.text
    assert token.access_token.reveal() not in caplog.text
    assert token.refresh_token.reveal() not in caplog.text
    assert "sandbox-secret" not in caplog.text
