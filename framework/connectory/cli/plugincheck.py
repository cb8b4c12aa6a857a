"""`connect plugin check`: a plugin's tier, and what would raise it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import typer

from .options import Json
from .output import note, say, say_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..authoring.check import Finding, Report


class Wanted(enum.StrEnum):
    NONE = "none"
    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


_Target = Annotated[
    str,
    typer.Argument(metavar="[PATH|NAME]", help="A plugin's project, or an installed plugin, distribution or element."),
]
_Require = Annotated[Wanted, typer.Option(help="Exit with 1 if the tier is lower than this one.")]
_Tests = Annotated[
    bool, typer.Option("--tests/--no-tests", help="Run the contract tests; without them the tier is bronze at most.")
]
_Entry = Annotated[str | None, typer.Option(help="The entry point to check if the project has several.")]
_Everything = Annotated[bool, typer.Option("--all", help="Also show the rules that are met.")]


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    target: _Target = ".",
    require: _Require = Wanted.BRONZE,
    tests: _Tests = True,
    entry: _Entry = None,
    everything: _Everything = False,
    as_json: Json = False,
) -> None:
    """Check a plugin against the rules of the tiers, run its contract tests, and say what to do next.

    The exit code is 1 if the tier is lower than required or a contract test fails.

    Example: connect plugin check . --require silver
    """
    from ..authoring.check import ContractRun, Tier, open_subject, run_contract
    from ..authoring.check import check as ask

    with open_subject(target, entry) as subject:
        if tests:
            note("Running the contract tests ...")
            subject.contract = run_contract(subject.project)
        else:
            subject.contract = ContractRun(problem="not run (--no-tests), so the tier is bronze at most")
        report = ask(subject)
    if as_json:
        say_json(report.as_json())
    else:
        _show(report, everything=everything)
    if report.tier < Tier[require.name] or subject.contract.failed:
        raise typer.Exit(1)


def _show(report: Report, *, everything: bool) -> None:
    elements = ", ".join(report.elements) or "no element"
    say(f"{report.distribution} {report.version or ''} ({elements}): {report.tier.title}")
    say(f"contract tests: {report.contract}")
    shown = report.findings if everything else report.open()
    if shown:
        say()
        _list(shown)
    met = len(report.findings) - len(report.open())
    say()
    say(f"{met} of {len(report.findings)} rules are met.{'' if everything else ' --all shows all of them.'}")


def _list(findings: Sequence[Finding]) -> None:
    for finding in findings:
        rule = finding.rule
        say(f"{rule.tier.title:<8}  {finding.outcome.state.value:<14}  {rule.id}: {rule.title}")
        for detail in _details(finding):
            say(f"    {detail}")
        if not finding.is_met:
            say(f"    why: {rule.reason}")
            say(f"    cure: {rule.cure}")


_MOST_DETAILS = 8


def _details(finding: Finding) -> list[str]:
    details = list(finding.outcome.details)
    more = len(details) - _MOST_DETAILS
    return details if more <= 0 else [*details[:_MOST_DETAILS], f"... and {more} more"]
