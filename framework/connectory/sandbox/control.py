"""The control surface under `/_sandbox/`, by which tests in other processes control a sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from .clock import parse_moment
from .replies import json_reply
from .switches import as_json, changed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from werkzeug.wrappers import Request, Response

    from .clock import Clock
    from .faults import Faults
    from .log import RequestLog
    from .oauth import OAuth2Server

Body = dict[str, Any]

_DOORS = {
    "state": {"GET": "_state"},
    "steps": {"POST": "_take_steps"},
    "records/<table>": {"GET": "_records", "POST": "_insert"},
    "records/<table>/<record_id>": {"PATCH": "_update", "DELETE": "_delete"},
    "switches": {"GET": "_show_switches", "PUT": "_set_switches"},
    "clock": {"POST": "_move_clock"},
    "faults": {"GET": "_show_faults", "PUT": "_set_faults"},
    "tokens": {"DELETE": "_expire_tokens"},
    "log": {"GET": "_log", "DELETE": "_clear_log"},
}
# Made once for all sandboxes: compiling the rules takes longer than everything else in a new sandbox.
_ADDRESSES = Map(
    Rule(f"/_sandbox/{path}", endpoint=door, methods=[method])
    for path, methods in _DOORS.items()
    for method, door in methods.items()
)


class Controlled(Protocol):
    """What the control surface needs of a sandbox; `provider.Provider` describes it."""

    how: tuple[str, ...]
    clock: Clock
    faults: Faults
    log: RequestLog
    oauth: OAuth2Server | None
    steps: int
    switches: Any

    def step(self) -> str: ...
    def records(self, name: str) -> Sequence[Any]: ...
    def insert(self, name: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Any: ...
    def update(self, name: str, record_id: str, values: Mapping[str, Any], *, at: datetime | None = None) -> Any: ...
    def delete(self, name: str, record_id: str, *, at: datetime | None = None) -> Any: ...
    def sizes(self) -> Mapping[str, int]: ...


class Control:
    """| path | |
    |---|---|
    | `GET state` | the clock, and the numbers of records, requests and steps |
    | `POST steps` `{"count": 3}` | make changes, as people at work would |
    | `GET`, `POST records/<table>`, `PATCH`, `DELETE records/<table>/<id>` | records; `at` is the moment of a write |
    | `GET`, `PUT switches` | the settings; `oauth` holds those of the OAuth2 server |
    | `POST clock` | `set`, `advance`, `skew`, `freeze` |
    | `GET`, `PUT faults` | `script`, `always`, `random` |
    | `DELETE tokens` `{"kind": "access"}` | end the tokens of a kind |
    | `GET`, `DELETE log` | the last requests |
    """

    def __init__(self, sandbox: Controlled) -> None:
        self._sandbox = sandbox

    def answer(self, request: Request) -> Response:
        try:
            name, values = _ADDRESSES.bind_to_environ(request.environ).match()
            door: Callable[..., Body] = getattr(self, name)
            return json_reply(door(_body(request), **values))
        except HTTPException as error:
            return json_reply({"error": error.description}, error.code or 500)
        except KeyError as error:
            return json_reply({"error": f"there is no {error.args[0]}"}, 404)
        except (ValueError, TypeError) as error:
            return json_reply({"error": str(error)}, 400)

    def _state(self, _: Body) -> Body:
        sandbox = self._sandbox
        return {
            "now": sandbox.clock.now().isoformat(),
            "tables": sandbox.sizes(),
            "requests": sandbox.log.total,
            "steps": sandbox.steps,
            "tokens": 0 if sandbox.oauth is None else len(sandbox.oauth.authority.tokens),
            "faults_waiting": sandbox.faults.waiting(),
        }

    def _take_steps(self, body: Body) -> Body:
        return {"steps": [self._sandbox.step() for _ in range(int(body.get("count", 1)))]}

    def _records(self, _: Body, table: str) -> Body:
        return {"records": self._sandbox.records(table)}

    def _insert(self, body: Body, table: str) -> Body:
        how = self._how(body)
        return {"record": self._sandbox.insert(table, body, **how)}

    def _update(self, body: Body, table: str, record_id: str) -> Body:
        how = self._how(body)
        return {"record": self._sandbox.update(table, record_id, body, **how)}

    def _delete(self, body: Body, table: str, record_id: str) -> Body:
        return {"deleted": self._sandbox.delete(table, record_id, **self._how(body))}

    def _how(self, body: Body) -> dict[str, Any]:
        """Take the options of a write out of the values of its record."""
        how = {name: body.pop(name) for name in ("at", *self._sandbox.how) if name in body}
        if "at" in how:
            how["at"] = parse_moment(how["at"])
        return how

    def _show_switches(self, _: Body) -> Body:
        oauth = self._sandbox.oauth
        own = as_json(self._sandbox.switches)
        return own if oauth is None else own | {"oauth": as_json(oauth.switches)}

    def _set_switches(self, body: Body) -> Body:
        oauth = self._sandbox.oauth
        if oauth is not None and "oauth" in body:
            oauth.switches = changed(oauth.switches, body.pop("oauth"))
        self._sandbox.switches = changed(self._sandbox.switches, body)
        return self._show_switches(body)

    def _move_clock(self, body: Body) -> Body:
        clock = self._sandbox.clock
        moves: dict[str, Callable[[Any], None]] = {
            "set": lambda text: clock.set(parse_moment(text)),
            "advance": clock.advance,
            "skew": clock.skew,
            "freeze": clock.freeze,
        }
        for name, value in body.items():
            moves[name](value)
        return {"now": clock.now().isoformat()}

    def _show_faults(self, _: Body) -> Body:
        faults = self._sandbox.faults
        return {"waiting": faults.waiting(), "kinds": {name: kind.description for name, kind in faults.kinds.items()}}

    def _set_faults(self, body: Body) -> Body:
        """Replace all faults; `script`, `random` and `always` may be combined."""
        faults = self._sandbox.faults
        faults.clear()
        faults.script(body.get("script", []))
        faults.always(body.get("always", []))
        if "random" in body:
            faults.random(**body["random"])
        return {"waiting": faults.waiting()}

    def _expire_tokens(self, body: Body) -> Body:
        oauth = self._sandbox.oauth
        return {"expired": 0 if oauth is None else oauth.authority.expire(body.get("kind", "access"))}

    def _log(self, body: Body) -> Body:
        count = int(body["count"]) if "count" in body else None
        log = self._sandbox.log
        return {"total": log.total, "requests": [entry.as_json() for entry in log.last(count)]}

    def _clear_log(self, _: Body) -> Body:
        self._sandbox.log.clear()
        return {}


def _body(request: Request) -> Body:
    """The JSON object of the body, merged into the parameters of the URL."""
    given: Body = dict(request.args.items())
    if request.get_data():
        sent = json.loads(request.get_data())
        if not isinstance(sent, dict):
            raise ValueError("the body must be a JSON object")
        given |= sent
    return given
