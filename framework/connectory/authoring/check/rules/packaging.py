"""Rules about the metadata of the distribution."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..rule import MET, Outcome, Rule, Tier, met_unless, not_applicable, not_checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..subject import Subject

_ON_FRAMEWORK = re.compile(r"connectory\s*(\[[^\]]*\])?\s*(?![\w.-])(?P<bounds>[^;@]*)", re.IGNORECASE)


def entry_point(subject: Subject) -> Outcome:
    if not subject.elements:
        return not_applicable("it provides no element")
    keys = [element.key for element in subject.elements]
    return met_unless(
        [] if subject.info.name in keys else [f"the entry point is called {subject.info.name!r}, its elements {keys}"]
    )


def requires_python(subject: Subject) -> Outcome:
    return _field(subject, "requires-python", subject.project.requires_python)


def has_license(subject: Subject) -> Outcome:
    return _field(subject, "license", subject.project.license)


def describes_itself(subject: Subject) -> Outcome:
    return _field(subject, "description", subject.project.description.strip())


def _field(subject: Subject, name: str, value: str | None) -> Outcome:
    if value:
        return MET
    if name in subject.project.unknown:
        return not_checked(f"{name} is dynamic: install the project and check it by its name")
    return met_unless([f"the project's metadata has no {name}"])


def framework_bound(subject: Subject) -> Outcome:
    project = subject.project
    found = [match for one in project.dependencies if (match := _ON_FRAMEWORK.match(one.strip()))]
    if not found and "dependencies" in project.unknown:
        return not_checked("dependencies are dynamic: install the project and check it by its name")
    if not found:
        return met_unless(["it does not depend on connectory"])
    return met_unless(_unbound(match["bounds"].strip() for match in found))


def _unbound(bounds: Iterator[str]) -> Iterator[str]:
    for bound in bounds:
        if not re.search(r">=|~=|==|>", bound):
            yield f"connectory{bound} has no lower bound"


def typed(subject: Subject) -> Outcome:
    package = subject.package
    if package is None:
        return not_applicable("it has no file")
    if not package.is_dir():
        return met_unless([f"{package.name} is a single module, and only a package can say that it is typed"])
    return met_unless([] if (package / "py.typed").is_file() else [f"{package.name}/py.typed is missing"])


RULES = (
    Rule(
        id="entry-point",
        tier=Tier.BRONZE,
        title="The entry point is named after an element of the plugin",
        reason="People choose plugins by name in CONNECTORY_PLUGINS, and they know the elements' names.",
        cure='In [project.entry-points.connectory] write KEY = "module", with the element\'s key.',
        check=entry_point,
    ),
    Rule(
        id="requires-python",
        tier=Tier.BRONZE,
        title="The metadata says which Python it needs",
        reason="Otherwise pip installs it on a Python that is too old, and it is quarantined there.",
        cure='Add requires-python = ">=3.11" to [project].',
        check=requires_python,
    ),
    Rule(
        id="framework-bound",
        tier=Tier.BRONZE,
        title="The dependencies name the oldest Connectory that works",
        reason="Otherwise it may be installed with a Connectory that lacks what it imports.",
        cure='Add "connectory>=VERSION" to the dependencies, with the version that it was tested with.',
        check=framework_bound,
    ),
    Rule(
        id="license",
        tier=Tier.GOLD,
        title="The metadata names a license",
        reason="Without a license only its author may use it.",
        cure='Add license = "Apache-2.0", or another SPDX expression, to [project].',
        check=has_license,
    ),
    Rule(
        id="summary",
        tier=Tier.SILVER,
        title="The metadata has a description",
        reason="It is the line that people see in lists of packages.",
        cure='Add description = "..." to [project]: the provider, and what it offers.',
        check=describes_itself,
    ),
    Rule(
        id="typed",
        tier=Tier.SILVER,
        title="The package says that it is typed",
        reason="Type checkers ignore the annotations of a package without py.typed.",
        cure="Put an empty file py.typed into the package's directory.",
        check=typed,
    ),
)
