"""Each rule of `connect plugin check`, by a small plugin that breaks it and no other."""

from __future__ import annotations

import pytest
from projects import write

from connectory.authoring.check import RULES, ContractRun, State, Tier, check, open_subject

CODE = "src/MODULE/__init__.py"
GOOD = ContractRun(passed=1)

NAIVE = """\
class Naive:
    unit = timedelta(seconds=1)
    ambiguity = timedelta(0)
    warnings = ()

    def parse(self, value: Any) -> Any:
        return datetime.fromisoformat(value)

    def format(self, moment: Any) -> str:
        return str(moment.strftime("%Y-%m-%dT%H:%M:%S"))


@hookimpl
def connect_date_format(element: Element, pattern: str, timezone: str | None) -> Naive:
    return Naive()


"""
DELETES = """\
    deletes=Feed(query=f"deleted_since=${{gmtDate:{STAMP}}}", date_field="deleted_at", date_format=STAMP),
"""


def report_of(project, contract=GOOD):
    with open_subject(str(project)) as subject:
        subject.contract = contract
        return check(subject)


def in_code(*changes):
    return {CODE: list(changes)}


def in_project(*changes):
    return {"pyproject.toml": list(changes)}


BROKEN = {
    "entry-point": (in_project(("demo =", "shop =")), "'shop'"),
    "requires-python": (in_project(('requires-python = ">=3.11"\n', "")), "no requires-python"),
    "framework-bound": (in_project(("connectory>=0.1", "connectory")), "no lower bound"),
    "license": (in_project(('license = "Apache-2.0"\n', "")), "no license"),
    "summary": (in_project(("Orders of the Demo shop for Connectory.", " ")), "no description"),
    "typed": ({"src/MODULE/py.typed": None}, "py.typed is missing"),
    "readme": ({"README.md": "orders `demo.url` `demo.api.key`"}, "only 32 characters"),
    "hooks-marked": (
        in_code(("DEMO = ", "def connect_open_sandboxes() -> None:\n    return None\n\n\nDEMO = ")),
        "connect_open_sandboxes: it is not marked, and there is no such hook",
    ),
    "hooks-answered": (in_code(("@hookimpl\ndef connect_build_auth", "def build_auth")), "connect_build_auth"),
    "api-version": (in_code(("connectory_api = 2\n", "")), "connectory_api"),
    "published-only": (in_code(("from marshmallow", "from connectory.plans import plan\nfrom marshmallow")), "line 5"),
    "element-metadata": (in_code(('name="Demo"', 'name=" "')), "no name"),
    "element-description": (in_code(('description="Orders of a Demo shop."', 'description=""')), "no description"),
    "sandbox": (in_code(("    return fake\n", "    return None\n")), "not answered"),
    "probe": (in_code(('    probe=Request(path="/orders", params=(("per_page", "1"),)),\n', "")), "no probe"),
    "account": (
        in_code(
            (
                "    probe=",
                "    oauth=OAuth2(authorize_url='https://d.example/a', token_url='https://d.example/t'),\n    probe=",
            ),
            ("    Limit,\n", "    Limit,\n    OAuth2,\n"),
            ('"k3y"}', '"k3y", "oauth.api.key": "a", "oauth.api.secret": "b"}'),
        ),
        "does not name the account",
    ),
    "limits": (in_code(("    limits=(Limit(requests=100),),\n", "")), "no limits"),
    "verdicts": (in_code(("page_instead_of_json(), ", "")), "web page instead of JSON is judged 'accept'"),
    "configuration-typed": (in_code(("demo_url = fields.String", "demo_url = fields.Raw")), "demo.url has no type"),
    "configuration-own": (in_code(("demo_url =", "enabled =")), "'enabled'"),
    "secrets-marked": (in_code(("demo_key = SecretField", "demo_key = fields.String")), "demo.api.key is not marked"),
    "configuration-described": (in_code((', "description": "The address of your shop."', "")), "demo.url has no desc"),
    "resources": (in_code(('path="/orders",\n    records', 'path="orders",\n    records')), "does not begin with /"),
    "polling": (in_code(("gmtDate:", "gmtDote:")), "gmtDote"),
    "dates-read-back": (
        in_code(
            (
                "DEMO = ",
                NAIVE + "DEMO = ",
            ),
            ("from typing", "from datetime import datetime, timedelta\nfrom typing"),
        ),
        "without a zone",
    ),
    "paging": (
        in_code(('    paginator=PageNumber(size="per_page", most=100, total=total_in_body("total")),\n', "")),
        "it has no paginator",
    ),
    "all-pages": (
        in_code(
            ('PageNumber(size="per_page", most=100, total=total_in_body("total"))', "SinglePage()"),
            ("    Resource,\n    hook", "    Resource,\n    SinglePage,\n    hook"),
        ),
        "only its first page",
    ),
    "asks-for-changes": (in_code(("return TRANSLATE(query)", "return ()")), "the same for every window"),
    "dated": (in_code(('    "createdDateField": "created_at",\n', "")), "when a record was created"),
    "zones-named": (
        in_code(
            ("HH:mm:ss'Z'\"\nDATES", 'HH:mm:ss"\nDATES'),
            ('    "updatedDateTimezone": "GMT",\n', ""),
        ),
        "name a zone",
    ),
    "delete-source": (in_code((DELETES, "")), "deletions cannot be found"),
    "resources-described": (in_code(('    description="What customers have ordered.",\n', "")), "orders has no"),
    "contract-inherited": ({"tests/test_demo.py": "class TestDemo: pass\n"}, "element = 'demo'"),
    "contract-whole": (
        {
            "tests/test_demo.py": [
                ('    element = "demo"\n', '    element = "demo"\n\n    def test_one(self):\n        pass\n')
            ]
        },
        "TestDemo replaces test_one",
    ),
    "keys-documented": ({"README.md": [("`demo.url`", "This")]}, "demo.url"),
    "resources-documented": ({"README.md": [("its orders are", "it is")]}, "orders"),
    "module-documented": (in_code(('"""The Demo shop."""\n', "")), "has no docstring"),
    "quiet": (in_code(("    return [DEMO]", "    print('here')\n    return [DEMO]")), "prints"),
    "annotated": (in_code(("(config: Config) -> str", "(config)")), "base_url is not annotated"),
    "all-documented": ({"src/MODULE/more.py": "ANSWER = 42\n"}, "more.py has no docstring"),
}
# What goes wrong with them as well, for good reason.
ALSO = {
    "contract-inherited": {"contract-whole"},
    "module-documented": {"all-documented"},
    "polling": {"asks-for-changes", "dated", "dates-read-back", "zones-named"},
}


def test_a_good_plugin_meets_every_rule(tmp_path):
    report = report_of(write(tmp_path))
    assert {finding.rule.id: finding.outcome.details for finding in report.open()} == {}
    assert report.tier is Tier.PLATINUM


def test_every_rule_has_a_plugin_that_breaks_it():
    assert {rule.id for rule in RULES} - {"contract-passed"} == set(BROKEN)


@pytest.mark.parametrize("rule_id", sorted(BROKEN))
def test_a_plugin_that_breaks_one_rule(tmp_path, rule_id):
    changes, said = BROKEN[rule_id]
    report = report_of(write(tmp_path, changes))
    broken = {finding.rule.id: finding for finding in report.open()}
    assert set(broken) - ALSO.get(rule_id, set()) == {rule_id}
    assert said in "; ".join(broken[rule_id].outcome.details)
    assert report.tier == min(finding.rule.tier for finding in broken.values()) - 1


@pytest.mark.parametrize(
    ("ran", "state", "tier"),
    [
        (ContractRun(passed=40, skipped=2), State.MET, Tier.PLATINUM),
        (ContractRun(passed=39, failures=("test_ties: widen the bound",)), State.NOT_MET, Tier.BRONZE),
        (ContractRun(problem="pytest ended without a result", is_broken=True), State.NOT_MET, Tier.BRONZE),
        (ContractRun(problem="not run"), State.NOT_CHECKED, Tier.BRONZE),
    ],
)
def test_contract_passed(tmp_path, ran, state, tier):
    report = report_of(write(tmp_path), ran)
    assert {finding.outcome.state for finding in report.findings if finding.rule.id == "contract-passed"} == {state}
    assert report.tier is tier


def test_what_a_plugin_raises_is_said_and_the_other_rules_are_asked(tmp_path):
    report = report_of(write(tmp_path, in_code(("    return [ORDERS]", "    raise RuntimeError('no table')"))))
    found = {finding.rule.id: finding.outcome for finding in report.findings}
    assert "RuntimeError: no table" in found["resources"].details[0]
    assert found["readme"].state is State.MET
    assert report.tier is Tier.NONE


def test_a_plugin_without_elements_need_not_meet_the_rules_about_them(tmp_path):
    plugin = (
        '"""Counts polls."""\n\nfrom typing import Any\n\nfrom connectory import hookimpl\n\nconnectory_api = 2\n\n\n'
        "@hookimpl\ndef connect_engine_starting(app: Any) -> None:\n    return None\n"
    )
    report = report_of(write(tmp_path, {CODE: plugin}))
    found = {finding.rule.id: finding.outcome.state for finding in report.findings}
    assert found["sandbox"] is State.NOT_APPLICABLE
    assert report.tier is Tier.PLATINUM


def test_the_rules_are_told_apart_and_explained():
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.tier > Tier.NONE and rule.title and rule.reason and rule.cure for rule in RULES)


def test_a_rule_of_the_readme_understands_keys_of_each_resource(tmp_path):
    readme = [("`demo.url`", "`demo.<place>`")]
    assert report_of(write(tmp_path, {"README.md": readme})).tier is Tier.PLATINUM
