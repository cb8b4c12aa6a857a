"""Deleting an instance ends its tokens at the provider, if it can and may."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from werkzeug.wrappers import Request as WsgiRequest

from connectory.errors import NotFoundError
from connectory.instances.login import revocation
from world import HOST

PATH = "/oauth_revoke_token.do"


class Watched:
    """The sandbox, and what was asked of its revocation endpoint; `answers` may take the sandbox's place there."""

    def __init__(self, snow):
        self.sandbox = snow.applications[HOST]
        self.asked = []
        self.answer = None

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == PATH:
            request = WsgiRequest(environ)
            body = request.get_data()
            environ["wsgi.input"] = io.BytesIO(body)
            self.asked.append((request.authorization, dict(parse_qsl(body.decode()))))
            if self.answer is not None:
                return self.answer(environ, start_response)
        return self.sandbox(environ, start_response)

    def kinds(self):
        return [fields["token_type_hint"] for _, fields in self.asked]


@pytest.fixture
def endpoint(snow):
    snow.applications[HOST] = Watched(snow)
    return snow.applications[HOST]


def is_alive(snow, token):
    return token.reveal() in snow.sandbox.authority.tokens


def test_both_tokens_end_with_the_instance(snow, endpoint):
    instance = snow.create()
    token = snow.app.parts.tokens.load(instance)
    assert is_alive(snow, token.access_token)
    assert is_alive(snow, token.refresh_token)
    snow.app.instances.delete(instance)
    assert not is_alive(snow, token.access_token)
    assert not is_alive(snow, token.refresh_token)
    assert [fields for _, fields in endpoint.asked] == [
        {"token": token.refresh_token.reveal(), "token_type_hint": "refresh_token"},
        {"token": token.access_token.reveal(), "token_type_hint": "access_token"},
    ]
    (who, _), _ = endpoint.asked
    assert (who.username, who.password) == ("sandbox-client", "sandbox-secret")


def test_the_client_identifies_itself_as_at_the_token_endpoint(snow, endpoint):
    element = snow.app.parts.plugins.element("servicenowoauth")
    in_body = replace(element, oauth=replace(element.oauth, client_auth="body"))
    snow.app.parts.plugins._registry._elements["servicenowoauth"] = in_body
    snow.app.instances.delete(snow.create())
    (who, fields), _ = endpoint.asked
    assert who is None
    assert (fields["client_id"], fields["client_secret"]) == ("sandbox-client", "sandbox-secret")


def test_a_provider_that_cannot_be_reached_does_not_keep_the_instance(snow, caplog):
    instance = snow.create()
    application = snow.applications.pop(HOST)
    with caplog.at_level(logging.WARNING, revocation.__name__):
        snow.app.instances.delete(instance)
    snow.applications[HOST] = application
    with pytest.raises(NotFoundError):
        snow.app.instances.get(instance)
    (said,) = caplog.messages
    assert f"the tokens of deleted instance {instance} could not be revoked" in said


def test_a_refusal_is_logged_without_the_tokens(snow, endpoint, caplog):
    def refuse(_environ, start_response):
        start_response("503 Service Unavailable", [])
        return [b""]

    endpoint.answer = refuse
    instance = snow.create()
    token = snow.app.parts.tokens.load(instance)
    with caplog.at_level(logging.WARNING, revocation.__name__):
        snow.app.instances.delete(instance)
    assert not snow.app.instances.exists(instance)
    (said,) = caplog.messages
    assert "the provider answered 503 when a token was revoked" in said
    assert token.access_token.reveal() not in said
    # That the first token was refused does not spare the other.
    assert endpoint.kinds() == ["refresh_token", "access_token"]


def test_the_rows_are_gone_before_the_provider_is_asked(snow, endpoint):
    left = []

    def look(environ, start_response):
        left.append(snow.app.instances.find())
        return endpoint.sandbox(environ, start_response)

    endpoint.answer = look
    snow.app.instances.delete(snow.create())
    assert left == [[], []]


def test_a_login_that_another_instance_shares_lives_on(snow, endpoint):
    first, second = snow.create(), snow.create()
    snow.app.instances.delete(first)
    assert endpoint.asked == []
    snow.poll()
    assert snow.state().failures == 0
    snow.app.instances.delete(second)
    assert endpoint.kinds() == ["refresh_token", "access_token"]


def test_the_same_tokens_are_shared_even_if_the_account_is_unknown(snow, endpoint):
    first = snow.create()
    second = snow.create()
    for instance in (first, second):
        token = snow.app.parts.tokens.load(first)
        snow.app.parts.tokens.save(instance, replace(token, account=None))
    snow.app.instances.delete(first)
    assert endpoint.asked == []


def test_another_account_is_another_login(snow, endpoint):
    first, second = snow.create(), snow.create()
    other = replace(snow.app.parts.tokens.load(second), account="somebody")
    snow.app.parts.tokens.save(second, replace(other, access_token=type(other.access_token)("another")))
    snow.app.instances.delete(first)
    assert endpoint.kinds() == ["refresh_token", "access_token"]


def test_a_refresh_token_that_was_brought_may_have_other_users(snow, endpoint):
    brought = snow.token()
    configuration = snow.configuration() | {"oauth.user.refresh_token": brought.refresh_token.reveal()}
    body = {"element": {"key": "servicenowoauth"}, "configuration": configuration, "externalAuthentication": "initial"}
    snow.app.instances.delete(snow.app.instances.create(json.loads(json.dumps(body))).id)
    assert endpoint.asked == []
    assert is_alive(snow, brought.refresh_token)


def test_a_provider_without_such_an_endpoint_is_asked_nothing(snow, endpoint):
    element = snow.app.parts.plugins.element("servicenowoauth")
    without = replace(element, oauth=replace(element.oauth, revoke_url=None))
    snow.app.parts.plugins._registry._elements["servicenowoauth"] = without
    asked = len(snow.sandbox.log.entries)
    instance = snow.create()
    made = len(snow.sandbox.log.entries)
    snow.app.instances.delete(instance)
    assert len(snow.sandbox.log.entries) == made > asked
    assert not snow.app.instances.exists(instance)
