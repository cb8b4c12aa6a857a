"""Whose login it is: a new one must be of the same account."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from logins import kill_login, login
from werkzeug.wrappers import Response

from connectory import AuthenticationError, Secret, Token
from connectory.errors import RetryLaterError
from connectory.model import Request
from connectory.store import instances
from toy import Toy


def test_the_login_of_another_account_is_refused_and_the_old_one_kept(snow):
    instance = snow.create()
    assert snow.app.parts.tokens.load(instance).account == "integration"
    before = snow.app.parts.tokens.load(instance)
    kill_login(snow)
    snow.poll()
    with pytest.raises(AuthenticationError, match="logged in as integration, but the new login is for admin") as caught:
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
    with pytest.raises(AuthenticationError, match="as ann, but the new login is for bob"):
        toy.app.instances.reauthenticate(instance, Token(access_token=Secret("third")))
    assert toy.app.parts.tokens.load(instance).access_token == Secret("second")


def test_a_login_that_is_refused_when_asked_whose_it_is_makes_no_instance(toy):
    toy.answer = lambda _request: Response("", status=401)
    with pytest.raises(AuthenticationError):
        establish(toy)
    assert toy.app.instances.find() == []
