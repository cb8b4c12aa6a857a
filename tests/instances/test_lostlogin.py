"""Dead logins: polling pauses, and the app is told once."""

from __future__ import annotations

import json

from logins import CALLBACK, Post, kill_login, login, notices

from connectory import AuthenticationError, Secret, Token
from connectory.delivery.worker import DeliveryWorker
from connectory.signature import verify
from connectory.store import instances, subscriptions


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


def test_each_outage_is_told(snow):
    instance = snow.create(**CALLBACK)
    for _ in range(2):
        kill_login(snow)
        snow.poll()
        snow.poll()
        snow.app.instances.reauthenticate(instance, login(snow))
        snow.poll()
    assert len(notices(snow)) == 2


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
