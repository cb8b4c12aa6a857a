"""CEQL and a poll's window as encoded queries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory import ceql
from connectory.errors import ConfigurationError, QueryError
from connectory.model import Query, Resource, Window
from connectory_servicenow.query import translate
from connectory_servicenow.resources import list_resources
from connectory_servicenow.sandbox import Sandbox
from connectory_servicenow.sandbox.matching import Matcher

RESOURCES = {resource.name: resource for resource in list_resources({})}
INCIDENTS = RESOURCES["incidents"]
WINDOW = Window(
    start=datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC), end=datetime(2024, 5, 1, 10, 15, 7, 999_999, tzinfo=UTC)
)


def params(where="", resource=INCIDENTS, page_size=1000, window=None, **given):
    query = Query(expression=ceql.parse(where), params=tuple(given.items()), page_size=page_size, window=window)
    found = translate(resource, query)
    assert len(dict(found)) == len(found)
    return dict(found)


def encoded(where="", **more):
    return params(where, **more).get("sysparm_query")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", None),
        ("state = 2", "state=2"),
        ("active = true", "active=true"),
        ("number = 'INC0010045'", "number=INC0010045"),
        ("id = 'abc'", "sys_id=abc"),
        ("caller_id.email = 'a@b.c'", "caller_id.email=a@b.c"),
        ("state != 7", "state!=7^ORstateISEMPTY"),
        ("priority < 3", "priority<3"),
        ("priority <= 3", "priority<=3"),
        ("priority > 3", "priority>3"),
        ("priority >= 3", "priority>=3"),
        ("short_description = ''", "short_descriptionISEMPTY"),
        ("short_description != ''", "short_descriptionISNOTEMPTY"),
        ("assigned_to IS NULL", "assigned_toISEMPTY"),
        ("assigned_to IS NOT NULL", "assigned_toISNOTEMPTY"),
        ("state IN (1, 2, 2)", "stateIN1,2"),
        ("id IN ('a', 'b')", "sys_idINa,b"),
        ("state NOT IN (6, 7)", "stateNOT IN6,7^ORstateISEMPTY"),
        ("short_description LIKE 'vpn%'", "short_descriptionSTARTSWITHvpn"),
        ("short_description LIKE '%vpn'", "short_descriptionENDSWITHvpn"),
        ("short_description LIKE '%vpn%'", "short_descriptionLIKEvpn"),
        ("short_description LIKE 'vpn'", "short_description=vpn"),
        ("short_description LIKE '%'", "short_descriptionISNOTEMPTY"),
        ("short_description NOT LIKE '%vpn%'", "short_descriptionNOT LIKEvpn^ORshort_descriptionISEMPTY"),
        ("short_description NOT LIKE 'vpn'", "short_description!=vpn^ORshort_descriptionISEMPTY"),
        ("short_description NOT LIKE '%'", "short_descriptionISEMPTY"),
        ("state = 1 AND active = true", "state=1^active=true"),
        ("state = 1 OR state = 2", "state=1^ORstate=2"),
        ("(state = 1 OR state = 2) AND active = true", "state=1^ORstate=2^active=true"),
        ("active = true AND (state = 1 OR state = 2)", "active=true^state=1^ORstate=2"),
        ("state = 1 OR (state = 2 AND active = true)", "state=1^ORstate=2^state=1^ORactive=true"),
        ("state != 1 OR active = true", "state!=1^ORstateISEMPTY^ORactive=true"),
        ("short_description = 'a & b = c, d'", "short_description=a & b = c, d"),
    ],
)
def test_conditions(where, expected):
    assert encoded(where) == expected


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        ("sys_created_on >= '2016-02-06T16:35:36'", "sys_created_on>=2016-02-06 16:35:36"),
        ("sys_created_on >= '2016-02-06T16:35:36Z'", "sys_created_on>=2016-02-06 16:35:36"),
        ("sys_created_on >= 2016-02-06T16:35:36-07:00", "sys_created_on>=2016-02-06 23:35:36"),
        ("sys_created_on >= '2016-02-06T16:35:36+0530'", "sys_created_on>=2016-02-06 11:05:36"),
        ("sys_created_on >= '2016-02-06 16:35:36'", "sys_created_on>=2016-02-06 16:35:36"),
        ("sys_created_on >= '2016-02-06T16:35'", "sys_created_on>=2016-02-06 16:35:00"),
        ("sys_created_on >= '2016-02-06'", "sys_created_on>=2016-02-06"),
        ("sys_created_on IN ('2016-02-06T16:35:36Z')", "sys_created_onIN2016-02-06 16:35:36"),
        # Stamps are whole seconds: cutting a fraction off must not lose one.
        ("sys_created_on >= '2016-02-06T16:35:36.000Z'", "sys_created_on>=2016-02-06 16:35:36"),
        ("sys_created_on >= '2016-02-06T16:35:36.5Z'", "sys_created_on>2016-02-06 16:35:36"),
        ("sys_created_on > '2016-02-06T16:35:36.123456789Z'", "sys_created_on>2016-02-06 16:35:36"),
        ("sys_created_on < '2016-02-06T16:35:36.5Z'", "sys_created_on<=2016-02-06 16:35:36"),
        ("sys_created_on <= '2016-02-06T16:35:36.5Z'", "sys_created_on<=2016-02-06 16:35:36"),
    ],
)
def test_moments_are_written_as_servicenow_does(literal, expected):
    assert encoded(literal) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("name = 'a^ORactive=true'", r"'\^'"),
        ("name = 'a^NQsys_idISNOTEMPTY'", r"'\^'"),
        ("name LIKE '%a^b%'", r"'\^'"),
        ("name IN ('a', 'b^c')", r"'\^'"),
        ("name = 'a\nb'", r"'\\n'"),
        ("name = 'a\rb'", r"'\\r'"),
        ("name = 'a\x00b'", "x00"),
        ("name = 'javascript:gs.getUserID()'", "script"),
        ("name = ' JavaScript:1'", "script"),
        ("name LIKE 'javascript:%'", "script"),
        ("name IN ('a', 'javascript:1')", "script"),
        ("name IN ('a,b')", "comma"),
        ("name IN ('')", "empty"),
        ("name > ''", "empty"),
        ("name = 'NULL'", "no value"),
        ("name LIKE 'a%b'", "middle"),
        ("name LIKE '%a%b%'", "middle"),
        ("name NOT LIKE 'a%'", "NOT LIKE"),
        ("name NOT LIKE '%a'", "NOT LIKE"),
        ("name > '=5'", "another operator"),
        ("name IN ('STANCEOFtask')", "another operator"),
        ("name IN ('_HIERARCHYx')", "another operator"),
        ("opened_at > '2016-13-06T16:35:36'", "no such date"),
        ("opened_at > '0001-01-01T00:00:00+10:00'", "no such date"),
        ("`name^ORx` = 'a'", "not a valid name"),
        ("`name=b^` = 'a'", "not a valid name"),
        ("`nameLIKE` = 'a'", "not a valid name"),
        ("`a b` = 'a'", "not a valid name"),
        ("ORname = 'a'", "not a valid name"),
        ("user_password LIKE 'a%'", "must not be used in a condition"),
        ("caller_id.user_password IS NULL", "must not be used in a condition"),
    ],
)
def test_what_servicenow_cannot_express_is_refused(where, message):
    with pytest.raises(QueryError, match=message) as caught:
        encoded(f"active = true AND {where}")
    error = caught.value
    assert error.text[error.position :].startswith(ceql.to_text(ceql.parse(where)))


def test_the_page_size():
    assert params(page_size=250)["sysparm_limit"] == "250"
    assert params(page_size=250, sysparm_limit="40")["sysparm_limit"] == "40"
    # A page that was halved because it was too heavy stays halved.
    assert params(page_size=25, sysparm_limit="40")["sysparm_limit"] == "25"
    with pytest.raises(ConfigurationError, match="sysparm_limit"):
        params(sysparm_limit="many")


def test_parameters_of_the_url():
    found = params("state = 1", active="true", sysparm_query="priority=1^ORpriority=2^EQ", sysparm_view="ess")
    assert found["sysparm_query"] == "state=1^active=true^priority=1^ORpriority=2"
    assert found["sysparm_view"] == "ess"
    with pytest.raises(ConfigurationError, match="sysparm_query"):
        params(sysparm_query="active=true^NQstate=1")
    with pytest.raises(QueryError):
        params(active="true^NQ")


def test_the_filter_of_the_resource():
    resource = replace(INCIDENTS, filter="active=true^ORvip=true")
    assert encoded("state = 1", resource=resource) == "state=1^active=true^ORvip=true"
    assert encoded(resource=resource) == "active=true^ORvip=true"


def test_a_resource_of_another_plugin():
    resource = Resource(name="problems", path="/api/now/v2/table/problem", updated_field="sys_updated_on")
    assert encoded("state = 1", resource=resource) == "state=1"


def test_fields_are_those_asked_for_without_the_password():
    assert params(sysparm_fields="number,caller_id.user_password, state")["sysparm_fields"] == "number,state"
    polled = params(sysparm_fields="number,user_password", window=WINDOW)["sysparm_fields"]
    assert polled == "number,sys_id,sys_updated_on,sys_created_on,sys_mod_count"


SINCE = "sys_updated_on>=2024-05-01 10:00:00"
UNTIL = "sys_updated_on<=2024-05-01 10:15:07"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("sys_updated_on > '2024-05-01T09:59:59'", f"{UNTIL}^sys_updated_on>2024-05-01 09:59:59"),
        ("", f"{SINCE}^{UNTIL}"),
        ("state = 1", f"{SINCE}^{UNTIL}^state=1"),
        ("sys_updated_on < '2024-05-02T00:00:00'", f"{SINCE}^{UNTIL}^sys_updated_on<2024-05-02 00:00:00"),
        (
            "sys_updated_on > '2024-05-01T09:59:59' OR state = 1",
            f"{SINCE}^{UNTIL}^sys_updated_on>2024-05-01 09:59:59^ORstate=1",
        ),
        # A window of its own: a record that changes now must not be kept out of the only poll that would report it.
        ("sys_created_on > '2024-05-01T09:59:59'", "sys_created_on>2024-05-01 09:59:59"),
        (
            "sys_created_on < '2020-01-01T00:00:00' AND sys_updated_on > '2024-05-01T09:59:59'",
            f"{UNTIL}^sys_created_on<2020-01-01 00:00:00^sys_updated_on>2024-05-01 09:59:59",
        ),
    ],
)
def test_the_window_of_a_poll(where, expected):
    assert encoded(where, window=WINDOW) == expected


def test_a_window_beside_an_encoded_query():
    assert encoded(sysparm_query="active=true", window=WINDOW) == f"{SINCE}^{UNTIL}^active=true"


@pytest.mark.parametrize(
    "given", [{"sysparm_display_value": "true"}, {"sysparm_offset": "20"}, {"sysparm_no_count": "true"}]
)
def test_what_would_break_a_poll_is_refused_there_only(given):
    assert params(**given)[next(iter(given))]
    with pytest.raises(ConfigurationError):
        params(window=WINDOW, **given)


def test_labels_are_not_polled():
    resource = list_resources({"servicenow.display_value": "true"})[0]
    params(resource=resource)
    with pytest.raises(ConfigurationError, match="use all") as caught:
        params(resource=resource, window=WINDOW)
    assert caught.value.where == "servicenow.display_value"
    params(resource=list_resources({"servicenow.display_value": "all"})[0], window=WINDOW)


def test_a_query_that_is_too_long_says_so():
    ids = ", ".join(f"'{number:032x}'" for number in range(200))
    assert encoded(f"id IN ({ids})")
    ids = ", ".join(f"'{number:032x}'" for number in range(400))
    with pytest.raises(ConfigurationError, match="fewer conditions"):
        encoded(f"id IN ({ids})")


# Against the sandbox's grammar

COLUMNS = {
    "name": st.sampled_from(["ann", "anna", "ben", "bo b", "lea-ann", "a,b", "like", "instanceof"]),
    "city": st.sampled_from(["oslo", "os", "lo", "los angeles"]),
    "num_employees": st.integers(-3, 12).map(str),
    "publicly_traded": st.sampled_from(["true", "false"]),
    "sys_updated_on": st.integers(0, 5).map(lambda second: f"2024-05-01 10:00:0{second}"),
}
TEXTS = ("name", "city")
RECORDS = st.lists(st.fixed_dictionaries({}, optional=COLUMNS), min_size=1, max_size=12)


@st.composite
def atoms(draw):
    column = draw(st.sampled_from(sorted(COLUMNS)))
    literal = COLUMNS[column].map(ceql.Literal)
    kind = draw(st.sampled_from(["compare", "in", "null", *(["like"] * 2 if column in TEXTS else [])]))
    negated = draw(st.booleans())
    if kind == "null":
        return ceql.IsNull(column, negated)
    if kind == "like":
        text = draw(COLUMNS[column])
        piece = text[draw(st.integers(0, 2)) : draw(st.integers(3, 9))] or text
        forms = ["%{}%", "{}", "%"] if negated else ["%{}%", "{}%", "%{}", "{}", "%"]
        return ceql.Like(column, draw(st.sampled_from(forms)).format(piece), negated)
    if kind == "in":
        listed = literal.filter(lambda found: "," not in str(found) and not str(found).startswith("instance"))
        return ceql.In(column, tuple(draw(st.lists(listed, min_size=1, max_size=3))), negated)
    operators = ["=", "!="] if column == "publicly_traded" else ["=", "!=", "<", "<=", ">", ">="]
    return ceql.Comparison(column, draw(st.sampled_from(operators)), draw(literal))


def joined(children):
    terms = st.lists(children, min_size=2, max_size=3).map(tuple)
    return st.one_of(terms.map(ceql.And), terms.map(ceql.Or))


EXPRESSIONS = st.recursive(atoms(), joined, max_leaves=5)


@settings(max_examples=300, deadline=None)
@given(EXPRESSIONS, RECORDS)
def test_the_sandbox_finds_what_ceql_means(expression, records):
    sandbox = Sandbox(lambda: datetime(2024, 6, 1, tzinfo=UTC))
    user = sandbox.insert("sys_user", {"user_name": "ann"})
    stamped = [{"sys_updated_on": "2024-05-01 10:00:09", **values} for values in records]
    rows = [sandbox.insert("core_company", values) for values in stamped]
    query = dict(translate(RESOURCES["accounts"], Query(expression=expression, page_size=1000)))["sysparm_query"]
    matcher = Matcher(sandbox.store, sandbox.literals(user))
    found = matcher.compile(query, "core_company")
    assert not matcher.invalid
    for row in rows:
        stored = {name: value for name, value in row.items() if value}
        assert found(row) is ceql.matches(expression, stored.get), (query, stored)
