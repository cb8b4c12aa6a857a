"""Rules about the project's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..contract import CONTRACT, contract_classes
from ..rule import Outcome, Rule, State, Tier, met_unless, not_applicable, not_checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..contract import ContractClass
    from ..subject import Subject

_NOT_HERE = "its tests are not installed; check the project's directory instead"


def _with_tests(check: Callable[[Subject, list[ContractClass]], Outcome]) -> Callable[[Subject], Outcome]:
    def ask(subject: Subject) -> Outcome:
        if not subject.elements:
            return not_applicable("it provides no element")
        if subject.project.path is None:
            return not_checked(_NOT_HERE)
        return check(subject, contract_classes(subject.project))

    return ask


@_with_tests
def inherited(subject: Subject, classes: list[ContractClass]) -> Outcome:
    tested = {one.element for one in classes}
    return met_unless(
        f"no test class inherits {CONTRACT} with element = {key!r}"
        for key in subject.info.elements
        if key not in tested
    )


@_with_tests
def passed(subject: Subject, classes: list[ContractClass]) -> Outcome:
    ran = subject.contract
    if ran.problem is None:
        return met_unless(ran.failures)
    return Outcome(state=State.NOT_MET if ran.is_broken else State.NOT_CHECKED, details=(ran.problem,))


@_with_tests
def whole(subject: Subject, classes: list[ContractClass]) -> Outcome:
    if not classes:
        return not_checked(f"no test class inherits {CONTRACT}")
    return met_unless(f"{one.name} replaces {', '.join(one.overridden)}" for one in classes if one.overridden)


RULES = (
    Rule(
        id="contract-inherited",
        tier=Tier.SILVER,
        title="Its tests hold every element to the contract",
        reason="Connectory relies on the contract: paging, dates, verdicts, token renewals and secrets.",
        cure="Inherit connectory.testing.ElementContract in tests/: class TestDemo(ElementContract): plugin = ...; "
        'element = "demo". If the tests are elsewhere, name their folder: [tool.connectory] tests = ["..."].',
        check=inherited,
    ),
    Rule(
        id="contract-passed",
        tier=Tier.SILVER,
        title="It passes the contract's tests",
        reason="A plugin that fails a test loses changes, announces them twice, or leaks secrets.",
        cure="Run pytest in the project; every failure says what to do.",
        check=passed,
    ),
    Rule(
        id="contract-whole",
        tier=Tier.GOLD,
        title="No test of the contract is replaced",
        reason="A replaced test no longer proves what the contract promises.",
        cure="Remove the test_ method from the class that inherits the contract, and fix what it hides.",
        check=whole,
    ),
)
