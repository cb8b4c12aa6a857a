"""The control surface under `/_sandbox/`, through which tests in other processes drive an instance."""

import json
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from connectory.testing.sandbox import as_json, changed, json_reply, parse_moment

from .faults import KINDS
from .instance import Instance
from .people import People
from .rules import RuleError

Body = dict[str, Any]
Move = Callable[[Any], None]
_HOW = ("stamp", "by", "auto_sys_fields")


class Control:
    def __init__(self, instance: Instance, people: People) -> None:
        self._instance = instance
        self._people = people
        self._addresses = Map(
            [
                Rule("/_sandbox/state", endpoint=self._state, methods=["GET"]),
                Rule("/_sandbox/steps", endpoint=self._take_steps, methods=["POST"]),
                Rule("/_sandbox/records/<table>", endpoint=self._records, methods=["GET"]),
                Rule("/_sandbox/records/<table>", endpoint=self._insert, methods=["POST"]),
                Rule("/_sandbox/records/<table>/<sys_id>", endpoint=self._update, methods=["PATCH"]),
                Rule("/_sandbox/records/<table>/<sys_id>", endpoint=self._delete, methods=["DELETE"]),
                Rule("/_sandbox/switches", endpoint=self._show_switches, methods=["GET"]),
                Rule("/_sandbox/switches", endpoint=self._set_switches, methods=["PUT"]),
                Rule("/_sandbox/clock", endpoint=self._move_clock, methods=["POST"]),
                Rule("/_sandbox/faults", endpoint=self._show_faults, methods=["GET"]),
                Rule("/_sandbox/faults", endpoint=self._set_faults, methods=["PUT"]),
                Rule("/_sandbox/tokens", endpoint=self._expire_tokens, methods=["DELETE"]),
                Rule("/_sandbox/log", endpoint=self._log, methods=["GET"]),
                Rule("/_sandbox/log", endpoint=self._clear_log, methods=["DELETE"]),
            ]
        )

    def answer(self, request: Request) -> Response:
        try:
            door, values = self._addresses.bind_to_environ(request.environ).match()
            with self._instance.lock:
                self._instance.settle()
                return json_reply(door(_body(request), **values))
        except HTTPException as error:
            return json_reply({"error": error.description}, error.code or 500)
        except (ValueError, TypeError, RuleError) as error:
            return json_reply({"error": str(error)}, 400)
        except KeyError as error:
            return json_reply({"error": f"there is no {error.args[0]}"}, 404)

    def _state(self, _: Body) -> Body:
        instance = self._instance
        return {
            "now": instance.clock.now().isoformat(),
            "tables": {name: len(table) for name, table in instance.tables.items()},
            "requests": instance.log.total,
            "running": instance.running.count,
            "steps": self._people.steps,
            "tokens": len(instance.authority.tokens),
            "faults_waiting": instance.faults.waiting(),
        }

    def _take_steps(self, body: Body) -> Body:
        steps = self._people.run(int(body.get("count", 1)))
        return {"steps": [step._asdict() for step in steps]}

    def _records(self, _: Body, table: str) -> Body:
        return {"records": list(self._instance.tables[table].values())}

    def _insert(self, body: Body, table: str) -> Body:
        values, how = _split(body)
        return {"record": self._instance.insert(table, values, **how)}

    def _update(self, body: Body, table: str, sys_id: str) -> Body:
        values, how = _split(body)
        return {"record": self._instance.update(table, sys_id, values, **how)}

    def _delete(self, body: Body, table: str, sys_id: str) -> Body:
        how = _split(body)[1]
        how.pop("auto_sys_fields", None)
        self._instance.delete(table, sys_id, **how)
        return {"deleted": sys_id}

    def _show_switches(self, _: Body) -> Body:
        return as_json(self._instance.switches)

    def _set_switches(self, body: Body) -> Body:
        self._instance.switches = changed(self._instance.switches, body)
        return as_json(self._instance.switches)

    def _move_clock(self, body: Body) -> Body:
        clock = self._instance.clock
        moves: dict[str, Move] = {
            "set": lambda text: clock.set(parse_moment(text)),
            "advance": clock.advance,
            "skew": clock.skew,
            "freeze": clock.freeze,
        }
        for name, value in body.items():
            moves[name](value)
        return {"now": clock.now().isoformat()}

    def _show_faults(self, _: Body) -> Body:
        return {"waiting": self._instance.faults.waiting(), "kinds": KINDS}

    def _set_faults(self, body: Body) -> Body:
        """Replaces all faults; `script`, `random` and `always` may be given together."""
        faults = self._instance.faults
        faults.clear()
        faults.script(body.get("script", []))
        faults.always(body.get("always", []))
        if "random" in body:
            faults.random(**body["random"])
        return {"waiting": faults.waiting()}

    def _expire_tokens(self, body: Body) -> Body:
        return {"expired": self._instance.authority.expire(body.get("kind", "access"))}

    def _log(self, body: Body) -> Body:
        count = int(body["count"]) if "count" in body else None
        log = self._instance.log
        return {"total": log.total, "requests": [entry.as_json() for entry in log.last(count)]}

    def _clear_log(self, _: Body) -> Body:
        self._instance.log.clear()
        return {}


def _body(request: Request) -> Body:
    """The JSON of the body; what stands in the address counts as well."""
    given: Body = dict(request.args.items())
    if request.get_data():
        sent = json.loads(request.get_data())
        if not isinstance(sent, dict):
            raise ValueError("the body has to be a JSON object")
        given |= sent
    return given


def _split(body: Body) -> tuple[Body, Body]:
    """The values of a record, and how it is to be written."""
    how = {name: body[name] for name in _HOW if name in body}
    if str(how.get("auto_sys_fields", True)).lower() == "false":
        how["auto_sys_fields"] = False
    return {name: value for name, value in body.items() if name not in _HOW}, how
