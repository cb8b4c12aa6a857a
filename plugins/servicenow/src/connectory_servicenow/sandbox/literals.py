"""Reads the value of a condition: text, the result of a script, or a moment in GMT."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from .script import Asker, evaluate
from .stamps import to_stamp
from .switches import LiteralZone, TLiterals

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:([ T])(\d{2}:\d{2}:\d{2})(Z?))?")


@dataclass(frozen=True, slots=True)
class Literals:
    asker: Asker
    zone: LiteralZone = "utc"
    t_form: TLiterals = "ignored"

    def text(self, value: str) -> str | None:
        """The value, or the result of its script; None for a script that the sandbox does not support."""
        if not value.startswith("javascript:"):
            return value
        return evaluate(value, self.asker)

    def moment(self, value: str) -> str | None:
        """The GMT stamp that a value stands for; other text is returned unchanged and compared as text."""
        if value.startswith("javascript:"):
            return evaluate(value, self.asker)
        return self._stamp(value) or value

    def _stamp(self, value: str) -> str | None:
        found = _MOMENT.fullmatch(value)
        if not found or (found[2] == "T" and self.t_form == "ignored"):
            return None
        zone = self.asker.zone if self.zone == "user" and not found[4] else UTC
        try:
            return to_stamp(datetime.fromisoformat(f"{found[1]} {found[3] or '00:00:00'}").replace(tzinfo=zone))
        except ValueError:
            return None
