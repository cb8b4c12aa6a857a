"""Explains a recorded poll, without the provider and without a store."""

from __future__ import annotations

import dataclasses
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from .. import errors
from ..clock import from_micros
from ..errors import ConfigurationError, ConnectoryError, RetryLaterError
from ..http import Client
from ..model import Response, resolve_endpoint
from ..plans.entries import compile_plans
from ..records.changes import Change, Meaning
from ..schemas import load_configuration
from ..secrets import redactor
from ..store.polls import PollRow
from .case import Case
from .explain import explain_case
from .explanation import Explanation, KnownNote
from .scrubbing import scrub_params

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    import msgspec
    import requests

    from ..model import Judge, Request, Verdict
    from ..plugins import Plugins
    from .recording import Broken, Exchange, Recording


def replay(plugins: Plugins, recording: Recording) -> Explanation:
    """What `explain` would have said before the poll ran.

    It is an error if the recording lacks a page, or has one that the poll does not ask for: then the plugin, or
    Connectory itself, polls in another way now than when the poll was recorded.
    """
    header = recording.header
    element = plugins.element(header.instance["element"])
    config = load_configuration(element, header.configuration)
    plans = compile_plans(element, config, plugins)
    conversation = _RecordedConversation(recording, resolve_endpoint(element.base_url, config), element.judge)
    explanation = explain_case(
        Case(
            instance=header.instance,
            plan=plans[header.resource],
            poll=PollRow(**header.state),
            clock_offset=timedelta(microseconds=header.clock_offset),
            page_size=header.page_size,
            conversation=conversation,
            memory=_RecordedMemory(recording),
        )
    )
    conversation.check()
    return explanation


class _RecordedMemory:
    """What was known when the poll was recorded."""

    def __init__(self, recording: Recording) -> None:
        self._known: dict[str, KnownNote] = {}
        self._ignored = recording.end.ignored
        for exchange in recording.exchanges:
            for object_id, (sequence, version, source) in exchange.known.items():
                self._known.setdefault(object_id, KnownNote(sequence=sequence, version=version, source=source))

    def known(self, object_ids: Collection[str]) -> Mapping[str, KnownNote]:
        return {object_id: self._known[object_id] for object_id in object_ids if object_id in self._known}

    def compare(self, change: Change, raws: Sequence[msgspec.Raw]) -> Change:
        reason = self._ignored.get(change.object_id)
        if reason is None:
            return change
        return dataclasses.replace(change, meaning=Meaning.IGNORED, reason=reason)


class _RecordedConversation:
    """Plays the recorded answers. Its clock shows the time of the recording."""

    def __init__(self, recording: Recording, base_url: str, judge: Judge) -> None:
        self._recording = recording
        self._left = deque(recording.exchanges)
        self._clock = from_micros(recording.header.now)
        self._client = Client(base_url=base_url, judge=judge, transport=self._answer)
        self._current: Exchange | None = None
        self._mismatch: ConnectoryError | None = None
        self.seconds = 0.0

    def now(self) -> datetime:
        return self._clock

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        self._current = current = self._next(request)
        self._clock = from_micros(current.received_at)
        self.seconds = (current.received_at - current.sent_at) / 1_000_000
        return self._client.exchange(request)

    def check(self) -> None:
        """Raise an error if the poll did not ask for exactly what was recorded."""
        if self._mismatch is None and self._left:
            asked = self._left[0].asked
            left = f"{len(self._left)} left, first {asked.path} {asked.params}"
            self._mismatch = self._error(f"the poll does not ask for all recorded requests: {left}")
        if self._mismatch is not None:
            raise self._mismatch

    def _next(self, request: Request) -> Exchange:
        wanted = (request.method, redactor.scrub(request.path), scrub_params(request.params))
        found = self._left[0] if self._left else None
        if found is None or (found.asked.method, found.asked.path, found.asked.params) != wanted:
            has = f"has {found.asked.path} {found.asked.params} there" if found else "ends before that"
            self._mismatch = self._error(f"the poll asks for {wanted[1]} {wanted[2]}, but the recording {has}")
            raise self._mismatch
        return self._left.popleft()

    def _error(self, message: str) -> ConfigurationError:
        versions = ", ".join(f"{name} {value}" for name, value in self._recording.header.versions.items())
        return ConfigurationError(message, where=self._recording.where, hint=f"it was recorded with {versions}")

    def _answer(self, _prepared: requests.PreparedRequest) -> Response:
        assert self._current is not None  # noqa: S101 - `exchange` has set it
        answer = self._current.answer
        if answer is None:
            raise _again(self._current.broken)
        return Response(
            status=answer.status, headers=CaseInsensitiveDict(answer.headers), body=answer.content(), url=answer.url
        )


def _again(broken: Broken | None) -> ConnectoryError:
    """The error of a request that got no answer."""
    if broken is None:
        return RetryLaterError("the connection broke")
    kind = getattr(errors, broken.type, None)
    made = kind if isinstance(kind, type) and issubclass(kind, ConnectoryError) else RetryLaterError
    return made(broken.message, where=broken.where, hint=broken.hint)
