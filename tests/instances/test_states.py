"""What a new login does to the state of an instance."""

from __future__ import annotations

from datetime import timedelta

import pytest
from logins import CALLBACK, kill_login, login

from connectory.errors import ConflictError
from connectory.store import instances


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
