"""`app.instances`: from the body of `POST /instances` to a running instance, and what can be done with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectory import Secret, Token
from connectory.app import as_json
from connectory.errors import (
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ConsentRefusedError,
    NotFoundError,
)
from connectory.secrets import MASK
from shelf import SWEEP, Shelf
from toy import Toy
from world import entry

LOGIN = {"username": "integration", "password": "integration"}
CALLBACK = "http://127.0.0.1:8723/callback"


@pytest.fixture
def instances(snow):
    return snow.app.instances


@pytest.fixture
def body(snow):
    return {"element": {"key": "servicenowoauth"}, "name": "acme", "configuration": snow.configuration() | LOGIN}


@pytest.fixture
def consented(snow):
    """The body of an instance that a person must allow."""
    configuration = snow.configuration() | {"oauth.callback.url": CALLBACK}
    return {"element": {"key": "servicenowoauth"}, "configuration": configuration}


def changed(body, **configuration):
    return body | {"configuration": body["configuration"] | configuration}


# Creating


def test_one_is_created_logged_in_and_polled(instances, body):
    made = instances.create(body)
    assert (made.id, made.name, made.element.key, made.state) == (1, "acme", "servicenowoauth", "active")
    assert [poll.resource for poll in made.polls] == ["incidents"]
    assert made.configuration["password"] == made.configuration["oauth.api.secret"] == MASK
    assert as_json(made)["createdDate"] == "2026-03-01T12:00:00Z"


def test_a_person_is_sent_to_the_provider_and_comes_back(snow, instances, consented):
    visited = []

    def consent(url):
        visited.append(url)
        return snow.sandbox.consent(url)

    assert instances.create(consented, consent=consent).state == "active"
    assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A8723%2Fcallback" in visited[0]


def test_nobody_is_asked_where_the_body_brings_a_login(instances, body):
    instances.create(body, consent=pytest.fail)


def test_a_person_who_refuses_leaves_nothing(instances, consented):
    with pytest.raises(ConsentRefusedError):
        instances.create(consented, consent=lambda url: f"{CALLBACK}?error=access_denied")
    assert instances.find() == []


def test_without_anybody_to_ask_a_consent_is_missing(instances, consented):
    with pytest.raises(AuthenticationError, match="no authorization code"):
        instances.create(consented)
    assert instances.find() == []


def test_a_login_that_is_refused_leaves_nothing(instances, body):
    with pytest.raises(AuthenticationError):
        instances.create(changed(body, password="wrong"))
    assert instances.find() == []


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"element": {"key": "sapphire"}}, "sapphire"),
        ({"element": {}}, "element"),
        ([], "object"),
        ({"element": {"key": "servicenowoauth"}, "configuration": {}}, "oauth.api.key"),
    ],
)
def test_a_body_that_is_wrong_says_where(instances, broken, says):
    with pytest.raises(ConfigurationError, match=says):
        instances.create(broken)
    assert instances.find() == []


def test_the_steps_can_be_taken_one_by_one(snow, instances, consented):
    draft = instances.prepare(consented)
    assert draft.needs_consent
    assert instances.find() == []
    flow = instances.flow(draft)
    token = flow.finish(snow.sandbox.consent(flow.start().url))
    assert instances.establish(draft, token).id == 1


def test_a_login_is_asked_for_only_where_a_person_must_allow_it(snow, instances, body, consented):
    token = snow.token()
    assert instances.log_in(instances.prepare(consented), lambda flow: token) is token
    own = instances.log_in(instances.prepare(body), lambda flow: pytest.fail("asked"))
    assert own.access_token.reveal()


def test_an_element_without_oauth_needs_no_login(tmp_path):
    with Toy(tmp_path) as toy:
        draft = toy.app.instances.prepare({"element": {"key": "toy"}, "configuration": {}})
        assert toy.app.instances.log_in(draft) is None
        assert toy.app.instances.establish(draft, None).id == 1


# Finding


def test_one_is_found_by_its_id_its_name_or_its_element(instances, body):
    made = instances.create(body)
    other = instances.create(body | {"name": "other"})
    assert instances.find() == [made, other]
    assert instances.find(name="acme") == instances.find(name="acme", element="servicenowoauth") == [made]
    assert instances.find(element="sapphire") == []
    assert instances.get(made.id) == instances.get(str(made.id)) == instances.get("acme") == made
    assert (instances.id_of("other"), instances.ids_of(["other", 1]), instances.ids_of(None)) == (2, [2, 1], None)


@pytest.mark.parametrize("call", ["get", "id_of", "pause", "resume", "delete", "warnings", "draft_of", "update"])
@pytest.mark.parametrize("reference", [99, "99", "nobody", -1, "9" * 30])
def test_one_that_there_is_not_is_not_found(instances, call, reference):
    with pytest.raises(NotFoundError, match=str(reference)):
        getattr(instances, call)(reference)


def test_a_name_that_two_have_names_neither(instances, body):
    instances.create(body)
    instances.create(body)
    with pytest.raises(ConfigurationError, match="1, 2"):
        instances.get("acme")


def test_what_a_person_should_know_is_said(snow, instances):
    odd = snow.create(**{"servicenow.subdomian": "acme"})
    assert any("servicenow.subdomian" in warning for warning in instances.warnings(odd))
    assert instances.warnings(snow.create()) == []


# Changing


def test_what_is_given_is_changed_and_nothing_else(snow, instances, body):
    made = instances.create(body)
    snow.poll()
    since = instances.get(1).polls[0].since
    updated = instances.update("acme", name="acme 2", configuration={"event.poller.refresh_interval": 5})
    assert (updated.name, updated.tags) == ("acme 2", made.tags)
    assert (updated.polls[0].interval_seconds, updated.polls[0].since) == (300, since)
    assert instances.update(1, tags=["a", "b"]).tags == ("a", "b")
    assert instances.get(1).configuration["servicenow.subdomain"] == made.configuration["servicenow.subdomain"]


def test_a_change_that_is_wrong_changes_nothing(instances, body):
    made = instances.create(body)
    with pytest.raises(ConfigurationError, match=r"event\.poller\.refresh_interval"):
        instances.update(1, name="other", configuration={"event.poller.refresh_interval": "often"})
    assert instances.get(1) == made


def test_a_pause_polls_nothing_and_loses_nothing(snow, instances, body):
    instances.create(body)
    assert instances.pause("acme").disabled
    assert instances.pause("acme").state == "paused"
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    assert (snow.poll(), snow.told()) == (0, [])
    assert instances.resume("acme").state == "active"
    assert (snow.poll(), len(snow.told())) == (1, 1)


def test_a_login_that_has_ended_is_replaced(snow, instances, body):
    made = instances.create(body)
    snow.sandbox.authority.expire("all")
    snow.poll()
    lost = instances.get(made.id)
    assert (lost.state, lost.valid) == ("needs_reauth", False)
    token = instances.log_in(instances.draft_of("acme"))
    assert instances.reauthenticate("acme", token).state == "active"
    assert snow.poll() == 1


def test_a_login_that_does_not_work_is_not_taken(snow, instances, body):
    instances.create(body)
    with pytest.raises(AuthenticationError):
        instances.reauthenticate(1, Token(access_token=Secret("nonsense")))
    assert (instances.get(1).state, snow.poll()) == ("active", 1)


def test_a_code_from_elsewhere_makes_a_draft_that_needs_no_consent(instances, body):
    instances.create(body)
    assert not instances.draft_of(1, code="c0de").needs_consent
    assert instances.draft_of(1, code="c0de").provider_data == {"code": "c0de"}


def test_one_is_deleted_for_good(snow, instances, body):
    instances.create(body)
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    snow.poll()
    instances.delete("acme")
    assert (instances.exists(1), instances.find(), snow.told()) == (False, [], [])
    assert instances.create(body).id == 2
    assert instances.exists(2)


# Alarms


def test_an_alarm_is_accepted(tmp_path):
    with Shelf(tmp_path, SWEEP) as shelf:
        for number in range(40):
            shelf.put(f"{number:02}")
        shelf.clock.advance(3600)
        instance = shelf.create()
        shelf.poll()
        for number in range(20):
            shelf.remove(f"{number:02}")
        shelf.poll()
        assert shelf.app.instances.get(instance).polls[0].deletions.alarm
        allowed = shelf.app.instances.allow_mass_delete(instance, "things")
        assert allowed.polls[0].deletions.mass_delete_allowed
        shelf.poll(timedelta(minutes=2))
        assert len(shelf.deleted()) == 20
        with pytest.raises(ConflictError, match="there is no alarm"):
            shelf.app.instances.allow_mass_delete(instance, "things")


def test_there_is_no_alarm_of_what_is_not_tracked(snow):
    instance = snow.create(**{"event.poller.configuration": {"incidents": entry("incidents")}})
    with pytest.raises(NotFoundError, match="trackDeletes"):
        snow.app.instances.allow_mass_delete(instance, "incidents")
