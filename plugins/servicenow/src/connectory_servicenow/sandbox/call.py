"""One authenticated call of the API, with its parameters."""

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from connectory import sandbox as base

from .instance import Instance
from .matching import Matcher
from .render import Display, Reading
from .store import Record
from .switches import Switches

_DISPLAYS: dict[str, Display] = {"true": "true", "all": "all"}


@dataclass(kw_only=True)
class Call(base.Call):
    """`user` is the name of `person`."""

    instance: Instance
    person: Record
    version: str = ""
    serve: Callable[[Request], Response] | None = None
    """Answers another request for the same user; batches need it."""

    @property
    def switches(self) -> Switches:
        switches: Switches = self.instance.switches
        return switches

    def flag(self, name: str) -> bool:
        return self.param(name).lower() == "true"

    @property
    def display(self) -> Display:
        return _DISPLAYS.get(self.param("sysparm_display_value").lower(), "false")

    @property
    def host(self) -> str:
        """The base URL of the instance, as the instance believes it to be."""
        return (self.switches.link_base or self.request.host_url).rstrip("/")

    @property
    def api(self) -> str:
        return f"{self.host}/api/now/{self.version}".rstrip("/")

    @property
    def reading(self) -> Reading:
        return self.instance.reading(self.person)

    def matcher(self, table: str) -> Matcher:
        refused = frozenset(self.switches.acl.range_refused.get(table, ()))
        return Matcher(self.instance.store, self.instance.literals(self.person), refused)
