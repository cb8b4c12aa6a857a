"""The grammar of encoded queries and what each operator finds."""

import pytest

from connectory_servicenow.sandbox.query import Condition, Join, Order, Related, Unreadable, parse


def shape(text):
    """Groups of alternatives of terms, written as field-operator-value."""
    return [
        [[f"{term.field} {term.operator} {term.value}" for term in alternatives] for alternatives in group]
        for group in parse(text).groups
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [[]]),
        ("a=1", [[["a = 1"]]]),
        ("a=1^b=2^ORc=3", [[["a = 1"], ["b = 2", "c = 3"]]]),
        ("a=1^ORb=2^c=3", [[["a = 1", "b = 2"], ["c = 3"]]]),
        ("a=1^NQb=2^c=3", [[["a = 1"]], [["b = 2"], ["c = 3"]]]),
        ("a=1^b=2^EQ", [[["a = 1"], ["b = 2"]]]),
        ("f=1^u>=T^u>T^ORid>X", [[["f = 1"], ["u >= T"], ["u > T", "id > X"]]]),
        ("order=1^ORorder=2", [[["order = 1", "order = 2"]]]),
        ("nameNOT INa,b", [[["name NOT IN a,b"]]]),
        ("nameNOT LIKEa", [[["name NOT LIKE a"]]]),
        ("nameNOTLIKEa^ORname!*b", [[["name NOT LIKE a", "name NOT LIKE b"]]]),
        ("name*a^ORnameCONTAINSb", [[["name LIKE a", "name LIKE b"]]]),
        ("name%com", [[["name ENDSWITH com"]]]),
        ("caller_id.email=a@b", [[["caller_id.email = a@b"]]]),
        ("nameISNOTEMPTY", [[["name ISNOTEMPTY "]]]),
        ("priorityBETWEEN1@3", [[["priority BETWEEN 1@3"]]]),
        ("parentIN_HIERARCHYx", [[["parent IN_HIERARCHY x"]]]),
        ("sys_class_nameINSTANCEOFtask", [[["sys_class_name INSTANCEOF task"]]]),
        ("short_description=a=b", [[["short_description = a=b"]]]),
    ],
)
def test_precedence_and_operators(text, expected):
    assert shape(text) == expected


def test_orders_belong_to_the_whole_query():
    query = parse("a=1^NQb=2^ORDERBYsys_updated_on^ORDERBYDESCsys_id")
    assert query.orders == (Order("sys_updated_on", descending=False), Order("sys_id", descending=True))
    assert len(query.groups) == 2


def test_field_names_are_case_sensitive():
    assert parse("Active=true").groups == (((Unreadable("Active=true"),),),)


def test_join_takes_the_rest_up_to_the_next_big_word():
    query = parse("active=true^JOINincident.caller_id=sys_user.sys_id!active=true^ORvip=true^ORDERBYnumber")
    (first,), (join,) = query.groups[0]
    assert first == Condition("active", "=", "true")
    assert isinstance(join, Join)
    assert (join.table, join.field, join.other, join.other_field) == ("incident", "caller_id", "sys_user", "sys_id")
    assert join.query.groups == (((Condition("active", "=", "true"), Condition("vip", "=", "true")),),)
    assert query.orders == (Order("number", descending=False),)


def test_related_query_ends_where_it_says():
    query = parse("RLQUERYincident.caller_id,>=2,m2m^active=true^ENDRLQUERY^vip=true")
    (related,), (after,) = query.groups[0]
    assert isinstance(related, Related)
    assert (related.table, related.field, related.operator, related.count) == ("incident", "caller_id", ">=", 2)
    assert related.query.groups == (((Condition("active", "=", "true"),),),)
    assert after == Condition("vip", "=", "true")


@pytest.fixture
def desk(sandbox):
    """A few users and incidents with values to tell apart."""
    boss = sandbox.insert("sys_user", {"user_name": "boss", "first_name": "Ada", "last_name": "Boss", "vip": True})
    ann = sandbox.insert(
        "sys_user", {"user_name": "ann", "first_name": "Ann", "last_name": "Lee", "manager": boss.sys_id}
    )
    for number, values in enumerate(
        (
            {"short_description": "Mail is down", "caller_id": ann.sys_id, "impact": "1", "urgency": "1"},
            {"short_description": "mail is slow", "caller_id": boss.sys_id, "category": "software"},
            {"short_description": "Printer", "caller_id": ann.sys_id, "due_date": "2024-05-02 00:00:00"},
            {"category": "network", "order": 30},
        ),
        start=1,
    ):
        sandbox.insert("incident", {"number": f"I{number}", **values}, at=f"2024-04-0{number} 10:00:00")
    return sandbox


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "1234"),
        ("number=I1", "1"),
        ("number=i1", "1"),
        ("short_description=MAIL IS DOWN", "1"),
        ("number!=I1", "234"),
        ("short_description!=Printer", "124"),
        ("due_date!=2024-05-02 00:00:00", "124"),
        ("priority<5", "1"),
        ("priority>=5", "234"),
        ("order>4", "4"),
        ("order<40", "4"),
        ("numberINI1,I3", "13"),
        ("numberNOT INI1,I3", "24"),
        ("short_descriptionLIKEmail", "12"),
        ("short_descriptionNOT LIKEmail", "3"),
        ("short_descriptionSTARTSWITHmail", "12"),
        ("short_descriptionENDSWITHslow", "2"),
        ("short_descriptionISEMPTY", "4"),
        ("short_descriptionISNOTEMPTY", "123"),
        ("short_description=", "4"),
        ("caller_id=NULL", "4"),
        ("caller_id!=NULL", "123"),
        ("caller_idEMPTYSTRING", "4"),
        ("numberANYTHING", "1234"),
        ("priorityBETWEEN1@4", "1"),
        ("sys_created_onBETWEEN2024-04-02 10:00:00@2024-04-03 10:00:00", "23"),
        ("impactSAMEASurgency", "1234"),
        ("impactNSAMEASpriority", "234"),
        ("priorityGT_FIELDimpact", "234"),
        ("impactLT_FIELDpriority", "234"),
        ("priorityGT_OR_EQUALS_FIELDimpact", "1234"),
        ("impactLT_OR_EQUALS_FIELDpriority", "1234"),
        ("caller_id.user_name=ann", "13"),
        ("caller_id.manager.vip=true", "13"),
        ("caller_id.vip=1", "2"),
        ("caller_idLIKElee", "13"),
        ("caller_idSTARTSWITHAda", "2"),
        ("sys_created_on>2024-04-02 10:00:00", "34"),
        ("sys_created_on>=2024-04-02 10:00:00", "234"),
        ("sys_created_on<=2024-04-02", "1"),
        ("sys_created_onONlabel@2024-04-02 00:00:00@2024-04-02 23:59:59", "2"),
        ("sys_created_onNOTONlabel@2024-04-02 00:00:00@2024-04-02 23:59:59", "134"),
        ("sys_created_onRELATIVEGT@day@ago@29", "34"),
        ("sys_created_onRELATIVELT@day@ago@29", "12"),
        ("due_dateMORETHANsys_created_on@day@after@20", "3"),
        ("due_dateLESSTHANsys_created_on@day@after@40", "3"),
        ("sys_created_onDATEPARTTue@javascript:gs.datePart('dayofweek','tuesday','EE')", "2"),
        ("sys_class_nameINSTANCEOFtask", "1234"),
        ("123TEXTQUERY321=mail down", "1"),
        ("impact=1^NQcategory=network", "14"),
        ("category=inquiry^number=I1^ORnumber=I2", "1"),
        ("category=network^EQ", "4"),
        ("JOINincident.caller_id=sys_user.sys_id!user_name=ann", "13"),
        ("nonsense=1", "1234"),
        ("number=I1^nonsense=1", "1"),
        ("number=I1^ORnonsense=1", "1"),
        ("nonsense.name=1^number=I2", "2"),
        ("caller_id.nonsense=1^number=I2", "2"),
        ("numberWORDSI2", "1234"),
    ],
)
def test_what_a_query_finds(desk, caller, query, expected):
    found = caller.column("incident", "number", query)
    assert "".join(sorted(number.removeprefix("I") for number in found)) == expected


def test_related_lists_are_counted(desk, caller):
    def callers(condition):
        return sorted(caller.column("sys_user", "user_name", f"RLQUERYincident.caller_id,{condition}^ENDRLQUERY"))

    assert callers(">0") == ["ann", "boss"]
    assert callers(">=2") == ["ann"]
    assert callers("=0") == ["admin"]
    assert callers(">0^short_descriptionLIKEslow") == ["boss"]


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        ("ORDERBYnumber", "1234"),
        ("ORDERBYDESCnumber", "4321"),
        ("ORDERBYDESCcategory^ORDERBYDESCnumber", "2431"),
        ("ORDERBYshort_description^ORDERBYnumber", "4123"),
        ("ORDERBYcaller_id^ORDERBYDESCnumber", "4231"),
        ("ORDERBYorder^ORDERBYnumber", "1234"),
        ("ORDERBYpriority^ORDERBYDESCnumber", "1432"),
        ("ORDERBYnonsense^ORDERBYnumber", "1234"),
    ],
)
def test_order(desk, caller, orders, expected):
    assert "".join(caller.column("incident", "number", orders)).replace("I", "") == expected


def test_scripts_name_the_caller_and_local_days(desk, caller):
    admin = desk.user_named("admin")
    assert caller.column("sys_user", "user_name", "sys_id=javascript:gs.getUserID()") == ["admin"]
    assert caller.column("sys_user", "user_name", "sys_idDYNAMIC90d1921e5f510100a9ad2572f2b477fe") == ["admin"]
    # In Los Angeles, 29 days before noon (GMT) of May 1st began at seven in the morning, GMT.
    desk.update("incident", next(iter(desk.tables["incident"])), {"opened_at": "2024-04-02 06:59:59"})
    later = caller.column("incident", "number", "opened_at>=javascript:gs.daysAgoStart(29)^ORDERBYnumber")
    assert later == ["I2", "I3", "I4"]
    desk.update("sys_user", admin.sys_id, {"time_zone": "GMT"})
    later = caller.column("incident", "number", "opened_at>=javascript:gs.daysAgoStart(29)^ORDERBYnumber")
    assert later == ["I1", "I2", "I3", "I4"]


def test_generated_dates_are_read_in_the_zone_of_the_user(desk, caller):
    query = "sys_created_on>=javascript:gs.dateGenerate('2024-04-03','03:00:00')"
    assert sorted(caller.column("incident", "number", query)) == ["I3", "I4"]
    query = "sys_created_on>=javascript:gs.dateGenerate('2024-04-03','03:00:01')"
    assert caller.column("incident", "number", query) == ["I4"]


@pytest.mark.parametrize(
    "script",
    [
        "gs.daysAgoEnd(1)",
        "gs.daysAgo(1)",
        "gs.hoursAgo(3)",
        "gs.hoursAgoStart(3)",
        "gs.hoursAgoEnd(3)",
        "gs.minutesAgo(3)",
        "gs.minutesAgoStart(3)",
        "gs.minutesAgoEnd(3)",
        "gs.beginningOfToday()",
        "gs.endOfYesterday()",
        "gs.nowDateTime()",
    ],
)
def test_scripts_of_the_recent_past(desk, caller, script):
    assert caller.rows("incident", f"sys_created_on>javascript:{script}") == []
    assert len(caller.rows("incident", f"sys_created_on<javascript:{script}")) == 4


def test_script_that_is_not_known_drops_its_condition(desk, caller):
    assert len(caller.rows("incident", "sys_created_on>javascript:new Date()")) == 4


def test_hierarchy_follows_parents(sandbox, caller):
    top = sandbox.insert("core_company", {"name": "Top"})
    middle = sandbox.insert("core_company", {"name": "Middle", "parent": top.sys_id})
    sandbox.insert("core_company", {"name": "Bottom", "parent": middle.sys_id})
    assert sorted(caller.column("core_company", "name", f"parentIN_HIERARCHY{top.sys_id}")) == ["Bottom", "Middle"]


def test_journals_are_searched_by_their_entries(desk, caller):
    incident = next(iter(desk.tables["incident"]))
    desk.update("incident", incident, {"work_notes": "Ordered a new fuser"})
    assert caller.column("incident", "sys_id", "work_notesLIKEfuser") == [incident]
    assert caller.column("incident", "sys_id", "commentsLIKEfuser") == []
