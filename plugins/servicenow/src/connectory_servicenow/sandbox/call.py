"""One authenticated call of the API and what it asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from werkzeug.wrappers import Request, Response

from .faults import Fault
from .instance import Instance
from .matching import Matcher
from .render import Display, Reading
from .store import Record
from .switches import Switches

_DISPLAYS: dict[str, Display] = {"true": "true", "all": "all"}


@dataclass
class Call:
    instance: Instance
    request: Request
    user: Record
    version: str = ""
    faults: tuple[Fault, ...] = ()
    serve: Callable[[Request], Response] | None = None
    """Answers another request in this one's name; batches need it."""
    rows: int | None = field(default=None, init=False)

    @property
    def switches(self) -> Switches:
        return self.instance.switches

    def param(self, name: str) -> str:
        return self.request.args.get(name, "")

    def flag(self, name: str) -> bool:
        return self.param(name).lower() == "true"

    def fault(self, kind: str) -> Fault | None:
        return next((fault for fault in self.faults if fault.kind == kind), None)

    @property
    def display(self) -> Display:
        return _DISPLAYS.get(self.param("sysparm_display_value").lower(), "false")

    @property
    def host(self) -> str:
        """The instance's own idea of its address."""
        return (self.switches.link_base or self.request.host_url).rstrip("/")

    @property
    def api(self) -> str:
        return f"{self.host}/api/now/{self.version}".rstrip("/")

    @property
    def reading(self) -> Reading:
        return self.instance.reading(self.user)

    def matcher(self, table: str) -> Matcher:
        refused = frozenset(self.switches.acl.range_refused.get(table, ()))
        return Matcher(self.instance.store, self.instance.literals(self.user), refused)
