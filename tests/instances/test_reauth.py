"""Dead logins: polling pauses, the app is told once, the same account goes on, and unused logins are kept alive."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from werkzeug.test import Client as WsgiClient
from werkzeug.wrappers import Response

from connectory import AuthenticationError, Secret, Token
from connectory.app.polls import scheduler_of
from connectory.delivery.poster import Posted
from connectory.delivery.worker import DeliveryWorker
from connectory.errors import ConflictError, RetryLaterError
from connectory.model import Request
from connectory.signature import verify
from connectory.store import instances, subscriptions, tables
from toy import Toy
from world import HOST

CALLBACK = {"event.notification.callback.url": "https://app.example/hook", "event.notification.signature.key": "k" * 20}


class Post:
    def __init__(self):
        self.sent = []

    def post(self, url, headers, body):
        self.sent.append((url, headers, body))
        return Posted(status=200, duration=3, head=b"ok")


def notices(world):
    with world.app.parts.database.read() as connection:
        rows = connection.execute(select(tables.notifications).order_by(tables.notifications.c.id)).all()
    return [body for row in rows if (body := json.loads(row.body))["message"].get("type")]


def kill_login(snow):
    snow.sandbox.authority.expire("all")


def login(snow, user="integration"):
    answer = WsgiClient(snow.sandbox).post(
        "/oauth_token.do",
        data={
            "grant_type": "password",
            "username": user,
            "password": user,
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
        },
    )
    body = json.loads(answer.get_data())
    return Token(access_token=Secret(body["access_token"]), refresh_token=Secret(body["refresh_token"]))


def test_a_dead_login_pauses_polling_and_is_told_once(snow):
    instance = snow.create("incidents", "accounts", **CALLBACK)
    snow.poll()
    kill_login(snow)
    snow.poll()
    asked = len(snow.sandbox.log.entries)
    for _ in range(5):
        assert snow.poll(3600) == 0
    assert len(snow.sandbox.log.entries) == asked
    row = snow.app.instances.get(instance)
    assert row.state == instances.NEEDS_REAUTH
    assert row.state_reason
    (notice,) = notices(snow)
    assert notice["topic"] == f"instance-{instance}-servicenowoauth-events"
    assert notice["message"]["type"] == "authentication.failed"
    assert notice["message"]["events"] == []
    assert notice["message"]["repair"] == f"connect instances reauth {instance}"
    assert notice["message"]["reason"] == row.state_reason
    assert notice["message"]["instanceId"] == instance


def test_the_notice_is_delivered_and_signed_as_all_others(snow):
    snow.create(**CALLBACK)
    snow.poll()
    kill_login(snow)
    snow.poll()
    post = Post()
    parts = snow.app.parts
    worker = DeliveryWorker(parts.database, snow.clock, parts.owner, parts.signature_keys, poster=post)
    assert worker.run_once() == 1
    ((url, headers, body),) = post.sent
    assert url == CALLBACK["event.notification.callback.url"]
    assert json.loads(body)["message"]["type"] == "authentication.failed"
    assert verify(headers, body, [b"k" * 20], snow.clock.now()).verified


def test_the_notice_holds_no_secret(snow, monkeypatch):
    from connectory.polling import covering

    snow.create(**CALLBACK)
    token = "tok-" + "x" * 40
    snow.app.parts.tokens.save(1, Token(access_token=Secret(token)))

    def refuse(*_arguments):
        raise AuthenticationError(f"the provider said that {token} is no good")

    monkeypatch.setattr(covering, "fetch", refuse)
    snow.poll()
    assert len(notices(snow)) == 1
    assert token not in json.dumps(notices(snow))
    assert token not in snow.app.instances.get(1).state_reason


def test_the_rest_of_a_claimed_group_asks_nothing_of_a_dead_login(snow):
    snow.create("incidents", "accounts", "contacts", "agents")
    snow.poll()
    kill_login(snow)
    before = len(snow.sandbox.log.entries)
    assert snow.poll() == 4
    # One page, one renewal.
    assert len(snow.sandbox.log.entries) - before == 2
    assert [poll.failures for poll in snow.app.instances.get(1).polls].count(0) == 3


def test_a_new_login_goes_on_where_the_old_one_stopped(snow):
    instance = snow.create(**CALLBACK)
    snow.poll()
    kill_login(snow)
    snow.poll()
    made = snow.sandbox.insert("incident", {})["sys_id"]
    snow.clock.advance(timedelta(days=3))
    snow.app.instances.reauthenticate(instance, login(snow))
    assert snow.poll(0) == 1
    assert [told[1] for told in snow.told()] == [made]
    assert snow.state().failures == 0


def test_each_outage_is_told(snow):
    instance = snow.create(**CALLBACK)
    for _ in range(2):
        kill_login(snow)
        snow.poll()
        snow.poll()
        snow.app.instances.reauthenticate(instance, login(snow))
        snow.poll()
    assert len(notices(snow)) == 2


def test_the_login_of_another_account_is_refused_and_the_old_one_kept(snow):
    instance = snow.create()
    assert snow.app.parts.tokens.load(instance).account == "integration"
    before = snow.app.parts.tokens.load(instance)
    kill_login(snow)
    snow.poll()
    with pytest.raises(AuthenticationError, match="logged in as integration, and the new login is of admin") as caught:
        snow.app.instances.reauthenticate(instance, login(snow, "admin"))
    assert "the old login was kept" in str(caught.value)
    assert snow.app.parts.tokens.load(instance) == before
    assert snow.app.instances.get(instance).state == instances.NEEDS_REAUTH
    snow.app.instances.reauthenticate(instance, login(snow))
    assert snow.app.instances.get(instance).state == instances.ACTIVE


def test_renewals_keep_the_account_in_mind(snow):
    instance = snow.create()
    snow.sandbox.authority.expire("access")
    snow.poll()
    assert snow.state().failures == 0
    assert snow.app.parts.tokens.load(instance).account == "integration"


def test_an_account_that_is_not_told_now_does_not_keep_an_instance_from_working(snow):
    # The probe passes, the question who it is does not.
    snow.sandbox.faults.script([None, "server_error"])
    instance = snow.create()
    assert snow.app.parts.tokens.load(instance).account is None
    snow.app.instances.reauthenticate(instance, login(snow))
    assert snow.app.parts.tokens.load(instance).account == "integration"


def test_an_account_that_cannot_be_checked_is_not_believed(snow):
    instance = snow.create()
    before = snow.app.parts.tokens.load(instance)
    snow.sandbox.faults.script(["server_error"])
    with pytest.raises(RetryLaterError):
        snow.app.instances.reauthenticate(instance, login(snow))
    assert snow.app.parts.tokens.load(instance) == before
    with (
        snow.switched(acl=replace(snow.sandbox.switches.acl, hidden_share={"sys_user": 1.0})),
        pytest.raises(AuthenticationError, match="an unknown account"),
    ):
        snow.app.instances.reauthenticate(instance, login(snow))


def test_a_paused_instance_stays_paused_with_a_new_login(snow):
    instance = snow.create()
    snow.app.instances.pause(instance)
    snow.app.instances.reauthenticate(instance, login(snow))
    assert snow.app.instances.get(instance).state == instances.PAUSED


def test_only_a_new_login_resumes_it(snow):
    instance = snow.create()
    kill_login(snow)
    snow.poll()
    with pytest.raises(ConflictError, match="needs a new login"):
        snow.app.instances.resume(instance)


def test_a_refusal_of_the_old_login_is_not_held_against_a_new_one(snow):
    from connectory.instances.login import lostlogin

    instance = snow.create()
    version = snow.app.parts.runtimes.get(instance).row.version
    snow.app.instances.reauthenticate(instance, login(snow))
    with snow.app.parts.database.write() as connection:
        error = AuthenticationError("refused")
        assert not lostlogin.lose(connection, instance, version, error, snow.clock.now())
    assert snow.app.instances.get(instance).state == instances.ACTIVE


def test_without_a_callback_the_notice_is_kept_and_goes_nowhere(snow):
    snow.create()
    kill_login(snow)
    snow.poll()
    assert len(notices(snow)) == 1
    with snow.app.parts.database.read() as connection:
        assert subscriptions.ids_of(connection, 1) == []


# Logins that nobody uses


@pytest.fixture
def kept(snow):
    """A ServiceNow that gives another refresh token each time, and whose unused ones are renewed after thirty days."""
    rotating = replace(snow.sandbox.switches.oauth, rotate_refresh=True)
    snow.sandbox.switches = replace(snow.sandbox.switches, oauth=rotating)
    element = snow.app.parts.plugins.element("servicenowoauth")
    kept = replace(element, oauth=replace(element.oauth, keep_alive=timedelta(days=30)))
    snow.app.parts.plugins._elements["servicenowoauth"] = kept
    return snow


def renewals(snow):
    return len([entry for entry in snow.sandbox.log.entries if entry.grant == "refresh_token"])


def test_the_login_of_a_paused_instance_is_kept_alive(kept):
    instance = kept.create()
    kept.app.instances.pause(instance)
    for _ in range(12):
        kept.clock.advance(timedelta(days=31))
        assert kept.app.keep_alive.tend() == instance
    assert renewals(kept) == 12
    kept.app.instances.resume(instance)
    kept.poll()
    assert kept.state().failures == 0


def test_one_login_a_minute(kept):
    made = {kept.create() for _ in range(3)}
    kept.clock.advance(timedelta(days=31))
    assert kept.app.keep_alive.tend() in made
    assert kept.app.keep_alive.tend() is None
    kept.clock.advance(60)
    assert kept.app.keep_alive.tend() in made
    kept.clock.advance(60)
    assert kept.app.keep_alive.tend() in made
    kept.clock.advance(60)
    assert kept.app.keep_alive.tend() is None
    assert renewals(kept) == 3


def test_logins_that_are_used_or_need_not_be_kept_are_left_alone(kept, snow):
    kept.create()
    kept.clock.advance(timedelta(days=29))
    assert kept.app.keep_alive.tend() is None
    del snow.app.parts.plugins._elements["servicenowoauth"]
    kept.clock.advance(timedelta(days=29))
    assert kept.app.keep_alive.tend() is None
    assert renewals(kept) == 0


def test_a_login_that_is_dead_is_found_and_told(kept):
    instance = kept.create(**CALLBACK)
    kept.clock.advance(timedelta(days=31))
    kill_login(kept)
    assert kept.app.keep_alive.tend() == instance
    assert kept.app.instances.get(instance).state == instances.NEEDS_REAUTH
    assert len(notices(kept)) == 1
    kept.clock.advance(timedelta(days=1))
    assert kept.app.keep_alive.tend() is None


def test_a_dead_login_of_a_paused_instance_is_not_asked_for_again(kept):
    instance = kept.create()
    kept.app.instances.pause(instance)
    kept.clock.advance(timedelta(days=31))
    kill_login(kept)
    kept.app.keep_alive.tend()
    asked = renewals(kept)
    kept.clock.advance(timedelta(days=1))
    assert kept.app.keep_alive.tend() is None
    assert renewals(kept) == asked
    assert kept.app.instances.get(instance).state == instances.PAUSED


def test_a_login_that_cannot_be_renewed_now_does_not_hold_the_others(kept):
    first, second = kept.create(), kept.create()
    kept.clock.advance(timedelta(days=31))
    application = kept.applications.pop(HOST)
    assert kept.app.keep_alive.tend() == first
    kept.applications[HOST] = application
    kept.clock.advance(60)
    assert kept.app.keep_alive.tend() == second
    kept.clock.advance(60)
    assert kept.app.keep_alive.tend() is None
    kept.clock.advance(3600)
    assert kept.app.keep_alive.tend() == first


def test_the_scheduler_tends_to_logins_when_it_has_nothing_to_poll(kept):
    instance = kept.create()
    kept.app.instances.pause(instance)
    kept.clock.advance(timedelta(days=31))

    class Stop:
        def is_set(self):
            return kept.app.keep_alive._looked is not None

    scheduler_of(kept.app.parts, keep_alive=kept.app.keep_alive).run(Stop())
    assert renewals(kept) == 1


# Elements of others


def whoami(client):
    return client.send(Request(path="/me")).json()["name"]


@pytest.fixture
def toy(tmp_path):
    with Toy(tmp_path / "toy", account=whoami) as opened:
        opened.me = "ann"
        opened.answer = lambda request: (
            Response(json.dumps({"name": opened.me}), content_type="application/json")
            if request.path == "/me"
            else None
        )
        yield opened


def establish(toy):
    draft = toy.app.instances.prepare({"element": {"key": "toy"}, "configuration": {}})
    return toy.app.instances.establish(draft, Token(access_token=Secret("first"))).id


def test_any_element_may_name_the_account(toy):
    instance = establish(toy)
    assert toy.app.parts.tokens.load(instance).account == "ann"
    toy.app.instances.reauthenticate(instance, Token(access_token=Secret("second")))
    assert toy.app.parts.tokens.load(instance).access_token == Secret("second")
    toy.me = "bob"
    with pytest.raises(AuthenticationError, match="as ann, and the new login is of bob"):
        toy.app.instances.reauthenticate(instance, Token(access_token=Secret("third")))
    assert toy.app.parts.tokens.load(instance).access_token == Secret("second")


def test_a_login_that_is_refused_when_asked_whose_it_is_makes_no_instance(toy):
    toy.answer = lambda _request: Response("", status=401)
    with pytest.raises(AuthenticationError):
        establish(toy)
    assert toy.app.instances.find() == []


def test_a_refusal_of_the_moment_is_no_lost_login(snow):
    """ServiceNow gives the same token again while it lives; that it gives one proves the login."""
    instance = snow.create()
    snow.poll()
    snow.sandbox.faults.script(["unauthorized"])
    snow.poll()
    assert (snow.app.instances.get(instance).state, snow.state().failures) == ("active", 0)
    snow.sandbox.faults.always(["unauthorized"])
    snow.poll()
    assert snow.app.instances.get(instance).state == "needs_reauth"
