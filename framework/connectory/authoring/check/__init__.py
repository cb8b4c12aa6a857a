"""`connect plugin check`: how good a plugin is, rule by rule, and what its author should do next.

1. `open_subject` (opening) finds the plugin behind a path or a name and its `Project` (project): a `Subject` (subject).
2. `run_contract` (contract) runs the tests that inherit `ElementContract`, if they are wanted.
3. `RULES` (rules) are data: an id, a tier, a reason, a cure, and a small function that looks at the subject.
4. `check` (report) applies all rules. The tier is the highest one whose rules, and those below it, are all met.
"""

from .contract import ContractRun, run_contract
from .opening import open_subject
from .report import Finding, Report, check
from .rule import Outcome, Rule, State, Tier
from .rules import RULES

__all__ = [
    "RULES",
    "ContractRun",
    "Finding",
    "Outcome",
    "Report",
    "Rule",
    "State",
    "Tier",
    "check",
    "open_subject",
    "run_contract",
]
