"""Logins that nobody uses are renewed before they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from logins import CALLBACK, kill_login, notices

from connectory.app.polls import scheduler_of
from connectory.instances.login.keepalive import KeepAlive
from connectory.store import instances
from world import HOST


@pytest.fixture
def kept(snow):
    """A ServiceNow that gives another refresh token each time, and whose unused ones are renewed after thirty days."""
    rotating = replace(snow.sandbox.switches.oauth, rotate_refresh=True)
    snow.sandbox.switches = replace(snow.sandbox.switches, oauth=rotating)
    element = snow.app.parts.plugins.element("servicenowoauth")
    kept = replace(element, oauth=replace(element.oauth, keep_alive=timedelta(days=30)))
    snow.app.parts.plugins._registry._elements["servicenowoauth"] = kept
    parts = snow.app.parts
    snow.keep_alive = KeepAlive(parts.database, parts.plugins, parts.runtimes, parts.clock)
    return snow


def renewals(snow):
    return len([entry for entry in snow.sandbox.log.entries if entry.grant == "refresh_token"])


def test_the_login_of_a_paused_instance_is_kept_alive(kept):
    instance = kept.create()
    kept.app.instances.pause(instance)
    for _ in range(12):
        kept.clock.advance(timedelta(days=31))
        assert kept.keep_alive.tend() == instance
    assert renewals(kept) == 12
    kept.app.instances.resume(instance)
    kept.poll()
    assert kept.state().failures == 0


def test_one_login_a_minute(kept):
    made = {kept.create() for _ in range(3)}
    kept.clock.advance(timedelta(days=31))
    assert kept.keep_alive.tend() in made
    assert kept.keep_alive.tend() is None
    kept.clock.advance(60)
    assert kept.keep_alive.tend() in made
    kept.clock.advance(60)
    assert kept.keep_alive.tend() in made
    kept.clock.advance(60)
    assert kept.keep_alive.tend() is None
    assert renewals(kept) == 3


def test_logins_that_are_used_or_need_not_be_kept_are_left_alone(kept, snow):
    kept.create()
    kept.clock.advance(timedelta(days=29))
    assert kept.keep_alive.tend() is None
    del snow.app.parts.plugins._registry._elements["servicenowoauth"]
    kept.clock.advance(timedelta(days=29))
    assert kept.keep_alive.tend() is None
    assert renewals(kept) == 0


def test_a_login_that_is_dead_is_found_and_told(kept):
    instance = kept.create(**CALLBACK)
    kept.clock.advance(timedelta(days=31))
    kill_login(kept)
    assert kept.keep_alive.tend() == instance
    assert kept.app.instances.get(instance).state == instances.NEEDS_REAUTH
    assert len(notices(kept)) == 1
    kept.clock.advance(timedelta(days=1))
    assert kept.keep_alive.tend() is None


def test_a_dead_login_of_a_paused_instance_is_not_asked_for_again(kept):
    instance = kept.create()
    kept.app.instances.pause(instance)
    kept.clock.advance(timedelta(days=31))
    kill_login(kept)
    kept.keep_alive.tend()
    asked = renewals(kept)
    kept.clock.advance(timedelta(days=1))
    assert kept.keep_alive.tend() is None
    assert renewals(kept) == asked
    assert kept.app.instances.get(instance).state == instances.PAUSED


def test_a_login_that_cannot_be_renewed_now_does_not_hold_the_others(kept):
    first, second = kept.create(), kept.create()
    kept.clock.advance(timedelta(days=31))
    application = kept.applications.pop(HOST)
    assert kept.keep_alive.tend() == first
    kept.applications[HOST] = application
    kept.clock.advance(60)
    assert kept.keep_alive.tend() == second
    kept.clock.advance(60)
    assert kept.keep_alive.tend() is None
    kept.clock.advance(3600)
    assert kept.keep_alive.tend() == first


def test_the_scheduler_tends_to_logins_when_it_has_nothing_to_poll(kept):
    instance = kept.create()
    kept.app.instances.pause(instance)
    kept.clock.advance(timedelta(days=31))

    class Stop:
        def is_set(self):
            return kept.keep_alive._looked is not None

    scheduler_of(kept.app.parts, keep_alive=kept.keep_alive).run(Stop())
    assert renewals(kept) == 1
