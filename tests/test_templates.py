from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory import ceql
from connectory.dates import parse_timezone
from connectory.errors import TemplateError
from connectory.templates import PollURL, parse_template, split_poll_url

MOMENT = datetime(2017, 9, 27, 20, 35, 12, 258_000, tzinfo=UTC)

RENDERED = {
    "${gmtDate:yyyy-MM-dd'T'HH:mm:ss}": "2017-09-27T20:35:12",
    "${gmtDate:yyyy-MM-dd'T'HH:mm:ssXXX}": "2017-09-27T20:35:12Z",
    "${gmtDate:yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}": "2017-09-27T20:35:12.258Z",
    "${gmtDate:EEE, dd MMM yyyy HH:mm:ss Z}": "Wed, 27 Sep 2017 20:35:12 +0000",
    "${date:MM/dd/yyyy HH:mm:ss}": "09/27/2017 20:35:12",
    "${date:MM/dd/yyy'T'HH:mm:ssXXX}": "09/27/2017T20:35:12Z",
    "${date}": "1506544512258",
    "${gmtDate}": "1506544512258",
    "${date:milliseconds}": "1506544512258",
    "${epoch}": "1506544512258",
    "${epoch:ms}": "1506544512258",
    "${milliseconds}": "1506544512258",
    "${epoch:s}": "1506544512",
    "${epoch:us}": "1506544512258000",
    "${dateTimeZone:America/Denver:yyyy-MM-dd'T'HH:mm:ss.SSS'Z'}": "2017-09-27T14:35:12.258Z",
    "${dateTimeZone:-8:00:yyyy-MM-dd HH:mm:ss}": "2017-09-27 12:35:12",
    "${dateTimeZone:+06:00:yyyy-MM-dd HH:mm:ss}": "2017-09-28 02:35:12",
    "${dateTimeZone:-0800:yyyy-MM-dd HH:mm:ss}": "2017-09-27 12:35:12",
    "${dateTimeZone:GMT-8:HH:mm:ss yyyy-MM-dd}": "12:35:12 2017-09-27",
    "${dateTimeZone:Etc/GMT+8:yyyy-MM-dd HH:mm:ssXXX}": "2017-09-27 12:35:12-08:00",
    "${dateTimeZone:America/Port-au-Prince:HH:mm}": "16:35",
    "${dateTimeZone:MST:yyyy-MM-dd HH:mm:ss}": "2017-09-27 14:35:12",
    "${DateTimeZone:PST:yyyy-MM-dd'T'HH:mm:ss.SSS}": "2017-09-27T13:35:12.258",
    "${GMTDATE:yyyy}": "2017",
    "${ date :yyyy}": "2017",
    "${date:yyyy'}'MM}": "2017}09",
    "${date:yyyy-MM-dd'T'HH:mm:ss'}": "2017-09-27T20:35:12",
    "no template at all": "no template at all",
    "a $ and a } and a {": "a $ and a } and a {",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), RENDERED.items())
def test_every_documented_form_is_rendered(text, expected):
    assert parse_template(text).render(MOMENT) == expected


def test_several_templates_stand_in_one_url():
    text = "/hubs/erp/x?where=a>'${gmtDate:yyyy-MM-dd'T'HH:mm:ss}' or b>'${date:yyyy}' or c>${epoch:s}"
    template = parse_template(text)
    assert template.render(MOMENT) == "/hubs/erp/x?where=a>'2017-09-27T20:35:12' or b>'2017' or c>1506544512"
    assert [slot.descriptor for slot in template.slots] == ["gmtDate", "date", "epoch"]
    assert [text[slot.position : slot.position + 2] for slot in template.slots] == ["${"] * 3
    assert [text[slot.end - 1] for slot in template.slots] == ["}"] * 3
    assert template.unit == timedelta(days=366)


def test_a_lost_quote_does_not_swallow_the_next_template():
    text = "a>'${date:yyyy-MM-dd'}' and b>'${date:HH:mm'}'"
    assert parse_template(text).render(MOMENT) == "a>'2017-09-27' and b>'20:35'"


def test_only_date_depends_on_the_zone_of_the_server():
    denver = ZoneInfo("America/Denver")
    text = "${date:HH:mm} ${gmtDate:HH:mm} ${dateTimeZone:PST:HH:mm} ${date}"
    assert parse_template(text).render(MOMENT, server_timezone=denver) == "14:35 20:35 13:35 1506544512258"


def test_a_moment_is_the_same_in_any_zone_and_never_rounded_up():
    local = MOMENT.replace(microsecond=999_999).astimezone(ZoneInfo("Asia/Kolkata"))
    assert parse_template("${epoch:s} ${gmtDate:ss}").render(local) == "1506544512 12"


def test_a_moment_without_a_zone_is_not_rendered():
    with pytest.raises(ValueError, match="has no time zone"):
        parse_template("${epoch}").render(datetime(2017, 1, 1))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("/hubs/x", timedelta(0)),
        ("${date}", timedelta(milliseconds=1)),
        ("${epoch:ms}", timedelta(milliseconds=1)),
        ("${epoch:us}", timedelta(microseconds=1)),
        ("${epoch:us} ${epoch:s}", timedelta(seconds=1)),
        ("${date:yyyy-MM-dd'T'HH:mm:ss.SSS}", timedelta(milliseconds=1)),
        ("${date:yyyy-MM-dd} ${epoch}", timedelta(days=1)),
    ],
)
def test_unit_is_the_coarsest_of_the_dates(text, unit):
    assert parse_template(text).unit == unit


def test_warnings_of_the_patterns_are_given_once():
    template = parse_template("${date:YYYY} ${gmtDate:YYYY} ${epoch}")
    assert template.warnings == (
        (
            "YYYY: YYYY is the year of the week, which differs from the calendar year around New Year; "
            "it is read as yyyy. Write yyyy"
        ),
    )


KNOWN = (
    "The descriptors are ${gmtDate:PATTERN}, ${date:PATTERN}, ${dateTimeZone:ZONE:PATTERN}, ${epoch}, ${epoch:s}, "
    "${epoch:us}, ${milliseconds}"
)
LETTERS = "use the letters y M d H h m s S E a z Z X, and put text in quotes"
ZONED = "write e.g. ${dateTimeZone:America/Denver:yyyy-MM-dd HH:mm:ss}; -07:00 is a zone as well"
COUNTS = "write ${epoch:s}, ${epoch:ms} or ${epoch:us}"


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        (
            "x=${date:10 digit integer Unix time}",
            13,
            f"${{date}}: the letter i has no meaning in a date pattern ({LETTERS})",
        ),
        ("x=${518862600}", 4, f"unknown template descriptor '518862600' ({KNOWN})"),
        (
            "x=${dateFieldDescriptor:dateFieldFormat}",
            4,
            f"unknown template descriptor 'dateFieldDescriptor' ({KNOWN})",
        ),
        (
            "x=${dateTimeZone:{TimeZone}:yyyy-MM-dd HH:mm:ss}",
            17,
            f"${{dateTimeZone}} needs a time zone and a pattern ({ZONED})",
        ),
        ("x=${dateTimeZone}", 16, f"${{dateTimeZone}} needs a time zone and a pattern ({ZONED})"),
        ("x=${dateTimeZone:PST}", 17, f"${{dateTimeZone}} needs a time zone and a pattern ({ZONED})"),
        (
            "x=${dateTimeZone:Amerca/Denver:yyyy}",
            17,
            "${dateTimeZone}: unknown time zone Amerca/Denver (did you mean America/Denver?)",
        ),
        ("x=${dateTimeZone:PST:yyyy-MM-ddT}", 31, "${dateTimeZone}: the letter T has no meaning in a date pattern"),
        ("x=${gmtDat:yyyy}", 4, f"unknown template descriptor 'gmtDat' (did you mean gmtDate? {KNOWN})"),
        ("x=${Epoc}", 4, f"unknown template descriptor 'Epoc' (did you mean epoch? {KNOWN})"),
        ("x=${}", 4, f"unknown template descriptor '' ({KNOWN})"),
        ("x=${epoch:sec}", 10, f"'sec' is not a unit of ${{epoch}} ({COUNTS})"),
        ("x=${milliseconds:s}", 17, f"'s' is not a unit of ${{milliseconds}} ({COUNTS})"),
        ("x=${date:}", 9, "${date}: the pattern has no letter for any part of a date (write e.g. yyyy-MM-dd HH:mm:ss)"),
        ("x=${date:yyyy", 2, "this ${ is never closed (end the template with })"),
        ("x=${date:yyyy ${epoch}", 2, "this ${ is never closed (end the template with })"),
        ("x=${epoch}${date:'T}", 17, "${date}: this quote is never closed"),
        ("x" * 16385, 16384, "the URL is longer than 16384 characters"),
    ],
)
def test_what_is_no_template_is_refused_at_its_character(text, position, message):
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    assert str(caught.value).startswith(message)
    assert (caught.value.text, caught.value.position) == (text, position)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from([*"${}:'/-8 yMdT", "${", "date:", "dateTimeZone:", "epoch", "PST:"])).map("".join))
def test_any_text_is_a_template_or_refused_inside_the_text(text):
    try:
        assert isinstance(parse_template(text).render(MOMENT), str)
    except TemplateError as caught:
        error = caught
    else:
        return
    assert 0 <= error.position <= len(text)


# --- the rendered URL -------------------------------------------------------------------------------------------

SAGE = (
    "/hubs/finance/customers?where=lastModifiedDate>='${date:yyyy-MM-dd'T'HH:mm:ss'Z'}' and "
    "attributes='created_at,updated_at"
)


@pytest.mark.parametrize(
    ("rendered", "path", "params"),
    [
        ("/hubs/crm/x", "/hubs/crm/x", ()),
        ("/hubs/crm/x?", "/hubs/crm/x", ()),
        (" /hubs/crm/x?a=1&&b=2& c =3&flag ", "/hubs/crm/x", (("a", "1"), ("b", "2"), ("c", "3"), ("flag", ""))),
        ("/x?where=a>='1'&pageSize=20", "/x", (("where", "a>='1'"), ("pageSize", "20"))),
        ("/x?where=a='R&D' and b='?'&c=1", "/x", (("where", "a='R&D' and b='?'"), ("c", "1"))),
        ("/x?where=a='it''s R&D'&c=1", "/x", (("where", "a='it''s R&D'"), ("c", "1"))),
        (r"/x?where=a='it\'s R&D'&c=1", "/x", (("where", r"a='it\'s R&D'"), ("c", "1"))),
        ("/x?where=a='open&c='1'&d=2", "/x", (("where", "a='open&c='1'"), ("d", "2"))),
        ("/x?a=1&where=b='open&c=1", "/x", (("a", "1"), ("where", "b='open"), ("c", "1"))),
        ("/x?where=a>'2017-09-27T20:35:12+02:00'", "/x", (("where", "a>'2017-09-27T20:35:12+02:00'"),)),
        ("/x?where=a%3E%272017%2B%26%27%20and+b", "/x", (("where", "a>'2017+&' and+b"),)),
        ("/x?where=a like '%zz%' and b='100%'", "/x", (("where", "a like '%zz%' and b='100%'"),)),
        ("/x?where=a like '%e9%' and b='%C3%A9'", "/x", (("where", "a like '%e9%' and b='é'"),)),
        ("/x?a=1&a=2", "/x", (("a", "1"), ("a", "2"))),
    ],
)
def test_a_poll_url_is_cut_as_a_person_reads_it(rendered, path, params):
    assert split_poll_url(rendered) == PollURL(path, params)


def test_the_published_url_with_its_lost_quote_works_from_template_to_query():
    url = split_poll_url(parse_template(SAGE).render(MOMENT))
    assert url.path == "/hubs/finance/customers"
    terms = ceql.conjuncts(ceql.parse(dict(url.params)["where"]))
    assert [(term.field, term.operator, str(term.value)) for term in terms] == [
        ("lastModifiedDate", ">=", "2017-09-27T20:35:12Z"),
        ("attributes", "=", "created_at,updated_at"),
    ]


@pytest.mark.parametrize("url", ["https://acme.service-now.com/api", "//acme.com/x", " HTTP:/x?a=1", "file:///etc/x"])
def test_an_absolute_url_is_refused(url):
    with pytest.raises(TemplateError) as caught:
        split_poll_url(url)
    assert str(caught.value).splitlines()[0] == (
        "a poll URL must not have a scheme or a host: the instance adds them"
        " (write a path such as /hubs/helpdesk/incidents?where=...)"
    )


literals = st.text(alphabet="ab &=?+>%Z", max_size=8).map("'{}'".format)
values = st.lists(st.text(alphabet="ab =?+>Z", max_size=5) | literals, min_size=1).map(
    lambda parts: "".join(parts) + "'"
)
params = st.lists(st.tuples(st.sampled_from(["where", "a", "page.size"]), values.map(lambda value: f"{value}z'")))


@settings(max_examples=300, deadline=None)
@given(params)
def test_what_is_quoted_stays_in_its_parameter(params):
    text = "&".join(f"{name}={value}" for name, value in params)
    assert split_poll_url(f"/x?{text}") == PollURL("/x", tuple(params))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="a=&'\\%C3A9?+ /"))
def test_any_query_is_cut_without_a_mistake(text):
    assert split_poll_url(f"/x?{text}").path == "/x"


def test_a_long_hostile_query_is_cut_in_a_moment():
    from timeit import timeit

    hostile = "/x?a='" + "\\'" * 50_000
    assert timeit(lambda: split_poll_url(hostile), number=1) < 1


# What the slots were filled with


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("${epoch:s}", "1767268800"),
        ("${epoch}", "1767268800000"),
        ("${epoch:us}", "1767268800000000"),
        ("${gmtDate:yyyy-MM-dd'T'HH:mm}", "2026-01-01T12:00"),
        ("${dateTimeZone:America/Denver:yyyy-MM-dd HH:mm}", "2026-01-01 05:00"),
    ],
)
def test_a_rendered_url_carries_the_value_and_the_moment_of_each_slot(slot, value):
    moment = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    rendered = parse_template(f"/x?a={slot}&b='{slot}'").fill(moment)
    assert rendered.text == f"/x?a={value}&b='{value}'"
    assert [(found.text, found.value, found.moment) for found in rendered.slots] == [(slot, value, moment)] * 2


def test_the_moment_of_a_slot_is_cut_to_its_unit():
    (slot,) = parse_template("${date:yyyy-MM-dd'T'HH}").fill(MOMENT, server_timezone=parse_timezone("-06:00")).slots
    assert (slot.value, slot.moment, slot.zone) == (
        "2017-09-27T14",
        datetime(2017, 9, 27, 20, tzinfo=UTC),
        parse_timezone("-06:00"),
    )


def test_the_slots_of_a_text_that_a_plugin_rendered_are_unknown():
    rendered = parse_template("a=${epoch:s}&b=${gmtDate:yyyy}").unknown("a=7")
    assert rendered.text == "a=7"
    assert [(slot.text, slot.value, slot.moment) for slot in rendered.slots] == [
        ("${epoch:s}", None, None),
        ("${gmtDate:yyyy}", None, None),
    ]
