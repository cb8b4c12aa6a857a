"""Polls and writes all requests and answers to a file, so that the poll can be explained later without the provider."""

from __future__ import annotations

import contextlib
import dataclasses
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from ..clock import duration_micros, to_micros
from ..errors import ConnectoryError
from ..polling.poller import Poller
from ..polling.reading import Ways
from ..polling.scheduler import Scheduler
from ..records.changes import Meaning
from ..records.identify import identify
from ..schemas import CALLBACK_URL
from ..secrets import MASK, redactor
from .memory import StoreMemory
from .recording import FORMAT, Answer, Asked, Broken, End, Exchange, Header, RecordingFile, body_of, state_of
from .scrubbing import learn_secrets, scrub_body, scrub_json, scrub_params, scrub_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    import requests

    from ..clock import Clock
    from ..http import Client
    from ..instances.parts import Parts
    from ..instances.runtime import Runtime
    from ..model import Request, Response, Verdict
    from ..plans.plan import Plan
    from ..records.changes import Change
    from ..records.identify import Identified
    from ..records.summary import Observer
    from ..store.polls import PollRow
    from .explanation import KnownNote


def recording_scheduler(
    parts: Parts, file: RecordingFile, instance_ids: Collection[int] | None, observer: Observer | None = None
) -> Scheduler:
    """A scheduler that polls these instances and records each poll."""
    around = _Recorder(parts, file).around
    return Scheduler(
        parts.database,
        Poller(parts.database, parts.runtimes, parts.clock, observer, parts.snapshots_kept, around),
        parts.clock,
        parts.process,
        # The lines of two polls must not mix in the file.
        workers=1,
        instance_ids=instance_ids,
    )


class _Recorder:
    """Records each poll of a scheduler."""

    def __init__(self, parts: Parts, file: RecordingFile) -> None:
        self._parts = parts
        self._file = file

    @contextlib.contextmanager
    def around(self, poll: PollRow, runtime: Runtime) -> Iterator[Ways]:
        learn_secrets(runtime.config)
        plan = runtime.plan(poll.resource)
        memory = StoreMemory(self._parts.database, poll, plan)
        log = _ExchangeLog(file=self._file, plan=plan, memory=memory, clock=self._parts.clock)
        ignored: dict[str, str] = {}

        def note_ignored(changes: Sequence[Change]) -> None:
            ignored.update({one.object_id: one.reason for one in changes if one.meaning is Meaning.IGNORED})

        self._file.write(self._header(poll, runtime))
        failure: str | None = None
        try:
            yield Ways(exchanger=_ListeningConversation(runtime.client, log), classified=note_ignored)
        except ConnectoryError as error:
            failure = redactor.scrub(str(error))
            raise
        finally:
            self._file.write(End(exchanges=log.count, failure=failure, ignored=ignored))

    def _header(self, poll: PollRow, runtime: Runtime) -> Header:
        with self._parts.database.read() as connection:
            hidden = self._parts.vault.names(connection, poll.instance_id)
        return Header(
            format=FORMAT,
            versions=_versions(self._parts, runtime),
            instance={"id": runtime.row.id, "name": runtime.row.name, "element": runtime.element.key},
            resource=poll.resource,
            configuration=_scrubbed(runtime.row.configuration) | dict.fromkeys(hidden, MASK),
            state=state_of({field.name: getattr(poll, field.name) for field in dataclasses.fields(poll)}),
            now=to_micros(self._parts.clock.now()),
            clock_offset=_micros(runtime.clock_offset),
            page_size=runtime.page_size(poll.resource),
        )


def _versions(parts: Parts, runtime: Runtime) -> dict[str, str | None]:
    owner = parts.plugins.owner_of(runtime.element.key)
    plugin = next((info.version for info in parts.plugins.infos() if info.name == owner), None)
    return {"connectory": version("connectory"), "python": platform.python_version(), f"plugin {owner}": plugin}


def _scrubbed(configuration: Mapping[str, Any]) -> dict[str, Any]:
    scrubbed = {name: scrub_json({name: value})[name] for name, value in configuration.items()}
    callback = str(scrubbed.get(CALLBACK_URL) or "")
    # Any query parameter of the callback URL may be a key of the receiver.
    return scrubbed | ({CALLBACK_URL: f"{callback.partition('?')[0]}?{MASK}"} if "?" in callback else {})


def _micros(duration: timedelta) -> int:
    return duration_micros(duration)


@dataclass(kw_only=True)
class _ExchangeLog:
    """Writes the exchanges of one poll. `met` are the objects that earlier pages showed."""

    file: RecordingFile
    plan: Plan
    memory: StoreMemory
    clock: Clock
    count: int = 0
    met: set[str] = field(default_factory=set)

    def add(self, request: Request, response: Response | None, error: ConnectoryError | None, sent: datetime) -> None:
        self.count += 1
        received = self.clock.now()
        asked = Asked(method=request.method, path=redactor.scrub(request.path), params=scrub_params(request.params))
        if response is None:
            broken = None if error is None else _broken(error)
            line = Exchange(sent_at=to_micros(sent), received_at=to_micros(received), asked=asked, broken=broken)
        else:
            body = scrub_body(response.body)
            line = Exchange(
                sent_at=to_micros(sent),
                received_at=to_micros(received),
                asked=asked,
                answer=_answer(response, body),
                known=self._known(response.body, body),
            )
        self.file.write(line)

    def _known(self, body: bytes, scrubbed: bytes) -> dict[str, tuple[int, str, str]]:
        """What was known about a page's records before the poll wrote any of them to the store."""
        try:
            records = _identified(self.plan, body)
            written = records if scrubbed == body else _identified(self.plan, scrubbed)
        except msgspec.DecodeError:
            return {}
        fresh = {object_id for object_id in records.ids if object_id is not None} - self.met
        self.met |= fresh
        known = self.memory.known(fresh)
        rows = zip(records.ids, records.versions, written.ids, written.versions, strict=True)
        return {
            new_id: _noted(known[old_id], old_version, new_version)
            for old_id, old_version, new_id, new_version in rows
            if old_id is not None and new_id is not None and old_id in known
        }


def _identified(plan: Plan, body: bytes) -> Identified:
    return identify(plan, body)


def _noted(note: KnownNote, version: str, written: str) -> tuple[int, str, str]:
    """If a version is a hash of the content, scrubbing changes it, so the hash of the scrubbed content is written."""
    return note.sequence, written if note.version == version else note.version, note.source


def _answer(response: Response, body: bytes) -> Answer:
    headers = {
        name: scrub_value(name, value) for name, value in response.headers.items() if "cookie" not in name.lower()
    }
    return Answer(status=response.status, headers=headers, url=redactor.scrub(response.url), **body_of(body))


def _broken(error: ConnectoryError) -> Broken:
    return Broken(
        type=type(error).__name__,
        message=redactor.scrub(error.message),
        where=None if error.where is None else redactor.scrub(error.where),
        hint=error.hint,
    )


class _ListeningConversation:
    """Asks through a client with the same login, and writes each request with its answer."""

    def __init__(self, client: Client, log: _ExchangeLog) -> None:
        self._log = log
        self._wire = client.transmit
        self._client = dataclasses.replace(client, transport=self._hear)
        self._heard: Response | None = None

    def exchange(self, request: Request) -> tuple[Response, Verdict]:
        sent = self._log.clock.now()
        self._heard = None
        try:
            answer = self._client.exchange(request)
        except ConnectoryError as error:
            self._log.add(request, self._heard, error, sent)
            raise
        self._log.add(request, answer[0], None, sent)
        return answer

    def _hear(self, prepared: requests.PreparedRequest) -> Response:
        # If the provider refuses the token, the client renews it and sends the request again. Only the last answer is
        # recorded, because a replay has no token that it could renew.
        self._heard = None
        self._heard = self._wire(prepared)
        return self._heard
