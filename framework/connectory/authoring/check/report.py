"""Applies all rules, and computes the tier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import ConnectoryError
from .rule import Outcome, Rule, State, Tier
from .rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .subject import Subject


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One rule and its outcome."""

    rule: Rule
    outcome: Outcome

    @property
    def is_met(self) -> bool:
        return self.outcome.state in {State.MET, State.NOT_APPLICABLE}


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What `connect plugin check` prints."""

    plugin: str
    distribution: str
    version: str | None
    elements: tuple[str, ...]
    findings: tuple[Finding, ...]
    contract: str

    @property
    def tier(self) -> Tier:
        """The highest tier whose rules, and those of the tiers below, are all met."""
        open_tiers = [finding.rule.tier for finding in self.findings if not finding.is_met]
        return Tier(min(open_tiers, default=Tier.PLATINUM + 1) - 1)

    def open(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.is_met]

    def as_json(self) -> dict[str, Any]:
        return {
            "plugin": self.plugin,
            "distribution": self.distribution,
            "version": self.version,
            "elements": list(self.elements),
            "tier": self.tier.title,
            "contract": self.contract,
            "rules": [
                {
                    "id": finding.rule.id,
                    "tier": finding.rule.tier.title,
                    "title": finding.rule.title,
                    "state": finding.outcome.state.value,
                    "details": list(finding.outcome.details),
                    "reason": finding.rule.reason,
                    "cure": finding.rule.cure,
                }
                for finding in self.findings
            ],
        }


def check(subject: Subject, rules: Sequence[Rule] = RULES) -> Report:
    """Apply each rule to a plugin. A plugin that raises an error does not meet the rule."""
    return Report(
        plugin=subject.info.name,
        distribution=subject.project.name,
        version=subject.project.version,
        elements=subject.info.elements,
        findings=tuple(_findings(subject, rules)),
        contract=_contract(subject),
    )


def _findings(subject: Subject, rules: Iterable[Rule]) -> Iterable[Finding]:
    for rule in sorted(rules, key=lambda rule: rule.tier):
        try:
            outcome = rule.check(subject)
        except ConnectoryError as error:
            outcome = Outcome(state=State.NOT_MET, details=(str(error),))
        except Exception as error:  # noqa: BLE001 - the plugin is asked, and may raise anything
            outcome = Outcome(state=State.NOT_MET, details=(f"it raised {type(error).__name__}: {error}",))
        yield Finding(rule=rule, outcome=outcome)


def _contract(subject: Subject) -> str:
    ran = subject.contract
    return ran.problem or f"{ran.passed} passed, {len(ran.failures)} failed, {ran.skipped} skipped"
