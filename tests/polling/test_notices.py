"""What plugins are told of polls and deliveries."""

from __future__ import annotations

from connectory import hookimpl
from connectory.receiver.receiver import Receiver
from connectory.sandbox.serving import Served


class Watching:
    """Owns no element: it is told of all."""

    def __init__(self):
        self.polls = []
        self.deliveries = []

    @hookimpl
    def connect_poll_finished(self, instance, resource, summary):
        self.polls.append((instance.id, resource.name, summary.get("created", 0), summary.get("failure")))

    @hookimpl
    def connect_delivery_finished(self, notification, attempt):
        self.deliveries.append((notification["instanceId"], attempt["delivered"], attempt["status"], attempt["number"]))


class Failing:
    @hookimpl
    def connect_poll_finished(self, instance, resource, summary):
        raise RuntimeError("its own fault")


def test_polls_are_told_well_or_badly_and_a_failing_plugin_stops_nothing(snow, caplog):
    watching = Watching()
    snow.app.parts.plugins.register(watching, "watching")
    snow.app.parts.plugins.register(Failing(), "failing")
    instance = snow.create()
    snow.poll()
    snow.sandbox.insert("incident", {"short_description": "New"})
    snow.poll()
    snow.sandbox.faults.always(["server_error"])
    snow.poll()
    assert [(poll[0], poll[1], poll[2]) for poll in watching.polls] == [
        (instance, "incidents", 0),
        (instance, "incidents", 1),
        (instance, "incidents", 0),
    ]
    assert watching.polls[0][3] is None
    assert "500" in watching.polls[2][3]
    assert "plugin failing failed in connect_poll_finished" in caplog.text


def test_deliveries_are_told(snow):
    watching = Watching()
    snow.app.parts.plugins.register(watching, "watching")
    key = "k" * 32
    with Served(Receiver([key.encode()], lambda received: None, now=snow.clock.now)) as receiver:
        instance = snow.create(
            **{
                "event.notification.callback.url": f"{receiver.url}/events",
                "event.notification.signature.key": key,
            }
        )
        snow.poll()
        snow.sandbox.insert("incident", {"short_description": "New"})
        snow.clock.advance(60)
        snow.app.run_once()
    assert watching.deliveries == [(instance, True, 200, 1)]
