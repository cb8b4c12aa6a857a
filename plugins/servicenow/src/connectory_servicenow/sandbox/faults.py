"""Bad answers on demand: scripted one by one, drawn by a seed, or on every call."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

Place = Literal["api", "token"]

KINDS = {
    "hidden_rows": "rows are filtered after the limit; the value is the share that is hidden (0.5)",
    "empty_page": "the page comes back empty though rows are counted",
    "ignored_query": "conditions and order of the query are left out",
    "partial_200": "200 with some rows and an error behind them; the value is the number of rows (half the page)",
    "cut_json": "200 whose body stops in the middle; the value is the share that is kept (0.6)",
    "hibernate": "the page of a sleeping instance; the value 'redirect' sends to another host instead",
    "login_html": "a login page where JSON is due",
    "bad_gateway": "502 with HTML from the load balancer",
    "rate_limited": "429 with Retry-After; the value is its seconds (30)",
    "semaphore": "429 without any header",
    "server_error": "500 with HTML; the value is another status",
    "slow": "the body trickles; the value is how many seconds it takes (1)",
    "dropped": "the connection ends in the middle of the body",
    "lost_refresh_token": "the refresh token is forgotten, so renewing fails; with the value 'reply' it is "
    "exchanged but the reply never arrives",
}


@dataclass(frozen=True)
class Fault:
    kind: str
    value: str = ""
    at: Place = "api"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(KINDS)}")
        if self.kind == "lost_refresh_token":
            object.__setattr__(self, "at", "token")

    def number(self, default: float) -> float:
        try:
            return float(self.value)
        except ValueError:
            return default


def parse_fault(text: str) -> Fault:
    """A fault as it is written on a command line: NAME or NAME=VALUE."""
    kind, _, value = text.partition("=")
    return Fault(kind.strip(), value.strip())


class Faults:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._scripts: dict[Place, deque[Fault | None]] = {"api": deque(), "token": deque()}
        self._always: tuple[Fault, ...] = ()
        self._kinds: Sequence[Fault] = ()
        self._rate = 0.0
        self._random = Random(0)

    def script(self, faults: Iterable[Fault | str | None]) -> None:
        """Append faults for the calls to come, one each; None lets a call of the API pass."""
        for item in faults:
            fault = _fault(item)
            self._scripts[fault.at if fault else "api"].append(fault)

    def random(self, rate: float, kinds: Iterable[Fault | str] | None = None, seed: int = 1) -> None:
        """Hit a share of all calls with one of these kinds, the same ones for the same seed."""
        self._kinds = [fault for item in (kinds or KINDS) if (fault := _fault(item))]
        self._rate = rate
        self._random = Random(seed)

    def always(self, faults: Iterable[Fault | str]) -> None:
        self._always = tuple(fault for item in faults if (fault := _fault(item)))

    def draw(self, place: Place) -> tuple[Fault, ...]:
        drawn = [fault for fault in self._always if fault.at == place]
        if self._scripts[place]:
            scripted = self._scripts[place].popleft()
            drawn += [scripted] if scripted else []
        elif chance := self._chance(place):
            drawn.append(chance)
        return tuple(drawn)

    def _chance(self, place: Place) -> Fault | None:
        kinds = [fault for fault in self._kinds if fault.at == place]
        if not kinds or self._random.random() >= self._rate:
            return None
        return self._random.choice(kinds)

    def waiting(self) -> int:
        return sum(len(script) for script in self._scripts.values())


def _fault(item: Fault | str | None) -> Fault | None:
    return parse_fault(item) if isinstance(item, str) else item
