"""`app.deliveries`: what was sent, with what result, and to whom it is sent again."""

from __future__ import annotations

import json

import pytest

from connectory.app import Observer, as_json
from connectory.errors import ConfigurationError, NotFoundError
from connectory.sandbox.serving import Served


class Receiver:
    """Answers `status` to everything."""

    def __init__(self) -> None:
        self.status = "200 OK"
        self.bodies: list[bytes] = []

    def __call__(self, environ, start_response):
        self.bodies.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response(self.status, [("Content-Type", "text/plain")])
        return [b"thanks"]


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def instance(snow, receiver):
    with Served(receiver) as served:
        yield snow.create(**{"event.notification.callback.url": f"{served.url}/events"})


def announce(snow) -> None:
    snow.clock.advance(10)
    snow.sandbox.insert("incident", {})
    snow.poll()


def test_what_is_due_is_sent(snow, instance, receiver):
    announce(snow)
    (waiting,) = snow.app.deliveries.find()
    assert (waiting.status, waiting.attempts, snow.app.deliveries.pending()) == ("created", 0, 1)
    assert snow.app.deliveries.run_due() == 1
    assert snow.app.deliveries.run_due() == 0
    (sent,) = snow.app.deliveries.find(status="delivered")
    assert (sent.attempts, sent.due_at) == (1, None)
    assert sent.created_at == sent.first_attempt_at <= sent.delivered_at
    assert (sent.instance_id, sent.resource, sent.url.endswith("/events")) == (instance, "incidents", True)
    assert snow.app.deliveries.pending() == 0


def test_one_is_shown_with_its_body_and_its_attempts(snow, instance, receiver):
    receiver.status = "500 Oops"
    announce(snow)
    snow.app.deliveries.run_due()
    snow.clock.advance(60)
    receiver.status = "204 No Content"
    snow.app.deliveries.run_due()
    shown = snow.app.deliveries.get(snow.app.deliveries.find()[0].id)
    assert [(one.number, one.status, one.error) for one in shown.made] == [(1, 500, None), (2, 204, None)]
    assert shown.made[0].response == b"thanks"
    assert receiver.bodies == [shown.body, shown.body]
    assert json.loads(as_json(shown)["body"])["message"]["instanceId"] == instance


def test_one_that_there_is_not_is_not_found(snow):
    with pytest.raises(NotFoundError, match="99"):
        snow.app.deliveries.get(99)


def test_they_are_found_newest_first_by_instance_and_status(snow, instance):
    announce(snow)
    announce(snow)
    found = snow.app.deliveries.find(instance=instance)
    assert [one.id for one in found] == sorted((one.id for one in found), reverse=True)
    assert snow.app.deliveries.find(limit=1) == found[:1]
    assert snow.app.deliveries.find(status="retry") == []
    assert snow.app.deliveries.find(instance=snow.create()) == []


def test_a_status_that_there_is_not_is_refused(snow):
    with pytest.raises(ConfigurationError, match="'lost' is not a delivery status") as refused:
        snow.app.deliveries.find(status="lost")
    assert refused.value.hint == "use one of created, retry, queued, delivered"


@pytest.mark.parametrize("reference", [99, "nobody"])
def test_an_instance_that_there_is_not_is_not_found(snow, reference):
    deliveries = snow.app.deliveries
    for call in (
        lambda: deliveries.find(instance=reference),
        lambda: deliveries.pending([reference]),
        lambda: deliveries.run_due(instances=[reference]),
        lambda: deliveries.resume(reference),
    ):
        with pytest.raises(NotFoundError, match=str(reference)):
            call()


def test_only_some_instances_are_served(snow, instance):
    other = snow.create()
    announce(snow)
    assert (snow.app.deliveries.pending([other]), snow.app.deliveries.run_due(instances=[other])) == (0, 0)
    assert (snow.app.deliveries.pending([instance]), snow.app.deliveries.run_due(instances=[instance])) == (1, 1)


def test_an_observer_hears_of_each_attempt(snow, instance, receiver):
    class Watching(Observer):
        def attempted(self, attempt):
            heard.append((attempt.delivered, attempt.status, attempt.retry_at))

    heard: list = []
    receiver.status = "204 No Content"
    announce(snow)
    snow.app.deliveries.run_due(observer=Watching())
    assert heard == [(True, 204, None)]


def test_a_receiver_that_was_given_up_gets_what_was_held_back(snow, instance, receiver):
    receiver.status = "410 Gone"
    announce(snow)
    snow.app.deliveries.run_due()
    announce(snow)
    assert snow.app.deliveries.run_due() == 0
    assert [one.status for one in snow.app.deliveries.find()] == ["queued", "queued"]
    assert snow.app.deliveries.pending() == 2
    assert snow.app.instances.get(instance).subscriptions[0].state == "deactivated"
    receiver.status = "200 OK"
    assert snow.app.deliveries.resume(instance) == 1
    assert snow.app.deliveries.run_due() == 2
    assert snow.app.deliveries.pending() == 0
    assert snow.app.deliveries.resume(instance) == 0
