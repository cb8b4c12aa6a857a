"""The tiers of this project's own plugins: their pages say what is computed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectory.authoring.check import ContractRun, Tier, check, open_subject

PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.mark.parametrize("name", ["servicenow", "sageone"])
def test_the_page_of_a_plugin_states_its_tier(name):
    with open_subject(str(PLUGINS / name)) as subject:
        # The contract's tests of our plugins run beside this one, and fail by themselves.
        subject.contract = ContractRun(passed=1)
        report = check(subject)
    assert {finding.rule.id: finding.outcome.details for finding in report.open()} == {}
    assert report.tier >= Tier.GOLD
    [stated] = re.findall(r"computes the tier \*\*(\w+)\*\*", (PLUGINS / name / "README.md").read_text())
    assert stated == report.tier.title
