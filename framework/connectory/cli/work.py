"""Polls and delivers until it is time to stop, and shows what happens: what `run` and `poll` share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .output import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..app import App, Instance
    from .stopping import Stop
    from .watching import Verified, Watcher

# Seconds between two checks that the polled instances still exist.
_CHECK_EVERY = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Length:
    """How long to work: one round, a number of seconds, or until Ctrl-C."""

    once: bool = False
    seconds: float | None = None

    @classmethod
    def of(cls, once: bool, duration: str | None) -> Length:
        from .moments import seconds_of

        return cls(once=once, seconds=seconds_of(duration, "--for", "s") if duration else None)

    @property
    def bounded(self) -> bool:
        return self.once or self.seconds is not None


def work(
    app: App,
    instances: Sequence[Instance],
    stop: Stop,
    length: Length,
    *,
    as_json: bool,
    checked: Verified | None = None,
) -> Watcher:
    """Work for a length of time.

    If the latest attempt of a poll has failed, a bounded run raises its error at the end; if several, the latest error.
    """
    from .watching import Watcher

    watcher = Watcher(as_json=as_json, on_lost=stop.set)
    ids = [instance.id for instance in instances]
    for instance in instances:
        _say_where(app, instance)
    try:
        if length.once:
            app.polls.make_due(ids)
            app.run_once(instances=ids, observer=watcher, stop=stop.event)
        else:
            _until(app, ids, watcher, stop, length.seconds)
    finally:
        watcher.summary(app.deliveries.pending(_existing(app, ids)), checked)
    if watcher.lost is not None:
        raise watcher.lost
    if length.bounded and watcher.errors:
        raise next(reversed(watcher.errors.values()))
    return watcher


def _say_where(app: App, instance: Instance) -> None:
    from ..schemas import NOTIFICATIONS_ENABLED

    for warning in app.instances.warnings(instance.id):
        note(f"warning: {warning}")
    resources = ", ".join(poll.resource for poll in instance.polls if poll.active)
    if not instance.events_enabled:
        note(f"Nothing is polled: {NOTIFICATIONS_ENABLED} is false.")
    elif instance.callback_url:
        note(f"Polling {resources or 'nothing'}; notifications go to {instance.callback_url}.")
    else:
        note(f"Polling {resources or 'nothing'}; events are stored and shown. With a callback URL they are also sent.")
    for held in instance.subscriptions:
        if held.state != "active":
            note(
                f"warning: nothing is sent to {held.url}: {held.reason}. Its notifications are kept;"
                f" after `connect deliveries resume {instance.id}`, `connect poll` or `connect run` sends them."
            )


def _until(app: App, ids: Sequence[int], watcher: Watcher, stop: Stop, seconds: float | None) -> None:
    from ..app.app import GRACE

    with app.running(instances=ids, observer=watcher, ended=stop.event):
        _wait(app, ids, stop, seconds)
    if seconds is not None and not stop.event.is_set():
        app.drain(GRACE, instances=_existing(app, ids), observer=watcher, stop=stop.event)


def _wait(app: App, ids: Sequence[int], stop: Stop, seconds: float | None) -> None:
    """Wait until it is time to stop, or until all polled instances were deleted."""
    ends = None if seconds is None else time.monotonic() + seconds
    while not stop.wait(_CHECK_EVERY if ends is None else max(0.0, min(_CHECK_EVERY, ends - time.monotonic()))):
        if ends is not None and time.monotonic() >= ends:
            return
        if not _existing(app, ids):
            note("The instance was deleted, so there is nothing left to poll.")
            return


def _existing(app: App, ids: Sequence[int]) -> list[int]:
    return [instance_id for instance_id in ids if app.instances.exists(instance_id)]
