"""Explains a poll that was recorded: nothing is asked, and no store is needed."""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from requests.structures import CaseInsensitiveDict

from .. import errors
from ..clock import from_micros
from ..errors import ConfigurationError, ConnectoryError, RetryLaterError
from ..http import Client
from ..instances.runtime import compile_plans
from ..model import Response, resolve_endpoint
from ..records.changes import Change, Finding
from ..schemas import load_configuration
from ..secrets import redactor
from ..store.polls import PollRow
from .explain import Case, examine
from .explanation import Explanation, KnownNote
from .scrubbing import scrub_params

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import msgspec
    import requests

    from ..model import Request, Verdict
    from ..plugins import Plugins
    from .recording import Broken, Exchange, Recording


def replay(plugins: Plugins, recording: Recording) -> Explanation:
    """What `explain` would have said before the poll was run.

    A recording that lacks a page, or has one that the poll does not ask for, is an error: the plugin, or Connectory
    itself, does not poll any more as it did then.
    """
    header = recording.header
    element = plugins.element(header.instance["element"])
    config = load_configuration(element, header.configuration)
    plans = compile_plans(element, config, plugins)
    tape = _Replayed(
        base_url=resolve_endpoint(element.base_url, config),
        judge=element.judge,
        recording=recording,
        left=deque(recording.exchanges),
        clock=from_micros(header.now),
    )
    explanation = examine(
        Case(
            instance=header.instance,
            plan=plans[header.resource],
            poll=PollRow(**header.state),
            clock_offset=timedelta(microseconds=header.clock_offset),
            page_size=header.page_size,
            conversation=tape,
            memory=_Recorded(recording),
        )
    )
    tape.check()
    return explanation


class _Recorded:
    """What was remembered when the poll was recorded."""

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
        return dataclasses.replace(change, finding=Finding.IGNORED, reason=reason, sequence=change.sequence - 1)


@dataclass(kw_only=True)
class _Replayed(Client):
    """Answers from a recording; its clock shows what ours showed then."""

    recording: Recording
    left: deque[Exchange]
    clock: datetime
    seconds: float = 0.0
    mismatch: ConnectoryError | None = None
    current: Exchange | None = None

    def now(self) -> datetime:
        return self.clock

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        self.current = self._next(request)
        self.clock = from_micros(self.current.received_at)
        self.seconds = (self.current.received_at - self.current.sent_at) / 1_000_000
        return super().exchange(request)

    def check(self) -> None:
        """Raise what does not fit, once the poll has run."""
        if self.mismatch is None and self.left:
            asked = self.left[0].asked
            self.mismatch = self._error(
                f"the recording has {len(self.left)} more than the poll asks for, first {asked.path} {asked.params}"
            )
        if self.mismatch is not None:
            raise self.mismatch

    def _next(self, request: Request) -> Exchange:
        wanted = (request.method, redactor.scrub(request.path), scrub_params(request.params))
        found = self.left[0] if self.left else None
        if found is None or (found.asked.method, found.asked.path, found.asked.params) != wanted:
            has = f"has {found.asked.path} {found.asked.params} there" if found else "ends before it"
            self.mismatch = self._error(f"the poll asks for {wanted[1]} {wanted[2]}, and the recording {has}")
            raise self.mismatch
        return self.left.popleft()

    def _error(self, message: str) -> ConfigurationError:
        versions = ", ".join(f"{name} {value}" for name, value in self.recording.header.versions.items())
        return ConfigurationError(message, where=self.recording.where, hint=f"it was recorded with {versions}")

    def _send(self, prepared: requests.PreparedRequest) -> Response:
        assert self.current is not None  # noqa: S101 - `exchange` has set it
        if self.current.answer is None:
            raise _again(self.current.broken)
        answer = self.current.answer
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
