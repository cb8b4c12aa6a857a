from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.dates import Codec, DateCodec, compile_pattern, parse_timezone
from connectory.errors import DatePatternError

MOMENT = datetime(2017, 9, 27, 20, 35, 12, 258_000, tzinfo=UTC)
SECOND = MOMENT.replace(microsecond=0)
DAY = datetime(2017, 9, 27, tzinfo=UTC)
SECONDS, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

# Every pattern that the platform's documentation shows.
PATTERNS = {
    "yyyy-MM-dd'T'HH:mm:ssXXX": ("2017-09-27T20:35:12Z", SECOND),
    "yyyy-MM-dd'T'HH:mm:ss'Z'": ("2017-09-27T20:35:12Z", SECOND),
    "milliseconds": ("1506544512258", MOMENT),
    "yyyy-MM-dd HH:mm:ss": ("2017-09-27 20:35:12", SECOND),
    "yyyy-MM-dd' 'HH:mm:ss": ("2017-09-27 20:35:12", SECOND),
    "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'": ("2017-09-27T20:35:12.258Z", MOMENT),
    "MM/dd/yyyy HH:mm:ss": ("09/27/2017 20:35:12", SECOND),
    "EEE, dd MMM yyyy HH:mm:ss Z": ("Wed, 27 Sep 2017 20:35:12 +0000", SECOND),
    "EEEE, d MMMM yy h:mm:ss a z": ("Wednesday, 27 September 17 8:35:12 PM GMT", SECOND),
    "yyyy-MM-dd'T'HH:mm:ss.SSSZ": ("2017-09-27T20:35:12.258+0000", MOMENT),
    "yyyy-MM-dd'T'HH:mm:ss.SSS": ("2017-09-27T20:35:12.258", MOMENT),
    "yyyy-MM-dd'T'HH:mm:ss": ("2017-09-27T20:35:12", SECOND),
    "yyyy-MM-dd": ("2017-09-27", DAY),
    "yyyy-MM-dd'T'HH:mmz": ("2017-09-27T20:35GMT", SECOND.replace(second=0)),
    "yyyy-MM-dd'T'HH:mm:ssZ": ("2017-09-27T20:35:12+0000", SECOND),
    "yyyy-MM-dd'T'HH:mm:ssX": ("2017-09-27T20:35:12Z", SECOND),
    "yyyy-MM-dd'T'HH:mm:ss.SSSX": ("2017-09-27T20:35:12.258Z", MOMENT),
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX": ("2017-09-27T20:35:12.258Z", MOMENT),
    "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX": ("2017-09-27T20:35:12.258000Z", MOMENT),
    "yyyy/MM/dd HH:mm:ss": ("2017/09/27 20:35:12", SECOND),
    "MM/dd/yyy'T'HH:mm:ssXXX": ("09/27/2017T20:35:12Z", SECOND),
    "MM/dd/yyyy['T'HH:mm:ssXXX]": ("09/27/2017T20:35:12Z", SECOND),
    "dd/MM/yyyy['T'HH:mm:ssXXX]": ("27/09/2017T20:35:12Z", SECOND),
    "yyyyMMddHHmmssSSS": ("20170927203512258", MOMENT),
    "d.M.yyyy H 'o''clock'": ("27.9.2017 20 o'clock", SECOND.replace(minute=0, second=0)),
}
ZONES = [
    "",
    "GMT",
    "PST",
    "MST",
    "America/New_York",
    "Europe/London",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Pacific/Apia",  # left out 30 December 2011
    "Africa/Monrovia",  # -0:44:30 until 1972
    "-8:00",
    "+05:45",
]


@pytest.mark.parametrize(("pattern", "text", "moment"), [(p, *expected) for p, expected in PATTERNS.items()])
def test_every_documented_pattern_writes_and_reads(pattern, text, moment):
    codec = compile_pattern(pattern)
    assert codec.format(MOMENT) == text
    assert codec.parse(text) == moment
    assert codec.parse(text).tzinfo is UTC
    assert codec.warnings == ()


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2017-09-27T20:35:12+0200", "2017-09-27T18:35:12+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2017-09-27T20:35:12+02", "2017-09-27T18:35:12+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2017-09-27T20:35:12-7:00", "2017-09-28T03:35:12+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ssZ", "2017-09-27T20:35:12+02:00", "2017-09-27T18:35:12+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2017-09-27T20:35:12Z", "2017-09-27T20:35:12+00:00"),
        ("EEE, dd MMM yyyy HH:mm:ss Z", "wed, 27 sep 2017 20:35:12 GMT", "2017-09-27T20:35:12+00:00"),
        ("yyyy-MM-dd'T'HH:mmz", "2017-07-27T20:35EST", "2017-07-28T01:35:00+00:00"),
        ("yyyy-MM-dd'T'HH:mmz", "2017-07-27T20:35EDT", "2017-07-28T00:35:00+00:00"),
        ("yyyy-MM-dd'T'HH:mmz", "2017-07-27T20:35America/New_York", "2017-07-28T00:35:00+00:00"),
        ("yyyy-MM-dd'T'HH:mmz", "2017-07-27T20:35GMT-03:30", "2017-07-28T00:05:00+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "2014-08-20T07:30:20.451000+00:00", "2014-08-20T07:30:20.451000+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2014-08-20T07:30:20.123456789Z", "2014-08-20T07:30:20.123456+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2014-08-20T07:30:20Z", "2014-08-20T07:30:20+00:00"),
        ("yyyy-MM-dd HH:mm:ss", "2014-08-20 07:30:20.5", "2014-08-20T07:30:20.500000+00:00"),
        ("yyyy-MM-dd HH:mm:ss", "2014-08-20T07:30:20", "2014-08-20T07:30:20+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ss'", "2014-08-20T07:30:20", "2014-08-20T07:30:20+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ss'Z", "2014-08-20T07:30:20Z", "2014-08-20T07:30:20+00:00"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSX'", "2014-08-20T07:30:20.5Z", "2014-08-20T07:30:20.500000+00:00"),
        ("MM/dd/yyyy['T'HH:mm:ssXXX]", "08/20/2014", "2014-08-20T00:00:00+00:00"),
        ("MM/dd/yyyy HH:mm:ss", " 8/2/2014 7:30:20 ", "2014-08-02T07:30:20+00:00"),
        ("MM/dd/yy hh:mm a", "08/20/69 12:30 a.m.", "2069-08-20T00:30:00+00:00"),
        ("MM/dd/yy hh:mm a", "08/20/70 12:30 PM", "1970-08-20T12:30:00+00:00"),
        ("d MMM yyyy", "1 December 2014", "2014-12-01T00:00:00+00:00"),
        ("milliseconds'", "1506544512258", "2017-09-27T20:35:12.258000+00:00"),
        ("milliseconds", 1506544512258, "2017-09-27T20:35:12.258000+00:00"),
        ("milliseconds", 1506544512258.5, "2017-09-27T20:35:12.258500+00:00"),
        ("milliseconds", "-1", "1969-12-31T23:59:59.999000+00:00"),
    ],
)
def test_values_are_read_as_their_author_meant_them(pattern, text, expected):
    assert compile_pattern(pattern).parse(text).isoformat() == expected


@pytest.mark.parametrize(
    ("pattern", "value", "reason"),
    [
        ("yyyy-MM-dd", "27.9.2017", "its form is different"),
        ("yyyy-MM-dd", "2017-02-30", "day is out of range for month"),
        ("yyyy-MM-dd", None, "expected a short text"),
        ("yyyy-MM-dd", 20170927, "expected a short text"),
        ("yyyy-MM-dd HH:mm:ss", "2017-02-03", "its form is different"),
        ("yyyy-MM-dd HH:mm:ss", "2017-02-03 25:00:00", "hour must be in 0..23"),
        ("yyyy-MM-dd HH:mm:ss", "9999-12-31 23:59:59", "date value out of range"),
        ("yyyy z", "2017 IST", "IST can mean several time zones, or none"),
        ("yyyy z", "2017 a/../b", "its form is different"),
        ("h a", "13 PM", "the hour must be between 1 and 12"),
        ("milliseconds", True, "expected a number of milliseconds since 1970"),
        ("milliseconds", float("nan"), "expected a number of milliseconds since 1970"),
        ("milliseconds", "1_0", "expected a number of milliseconds since 1970"),
        ("milliseconds", 10**16, "date value out of range"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_pattern(pattern, value, reason):
    with pytest.raises(ValueError, match="is not a date") as caught:
        compile_pattern(pattern, "-8:00").parse(value)
    assert str(caught.value) == f"{value!r} is not a date of the pattern {pattern}: {reason}"


def test_a_long_value_is_shown_in_part():
    with pytest.raises(ValueError, match=r"^'x{119}\.\.\. is not a date of the pattern yyyy: expected a short text$"):
        compile_pattern("yyyy").parse("x" * 500_000)


@pytest.mark.parametrize(
    "value", ["\uff12017-09-27 20:35:12", "2017-09-27 20:35:12+02:00", "2017-09-27", b"2017-09-27"]
)
@pytest.mark.parametrize("zone", ["", "PST"])
def test_the_fast_way_refuses_what_the_careful_way_refuses(value, zone):
    with pytest.raises(ValueError, match="is not a date of the pattern"):
        compile_pattern("yyyy-MM-dd HH:mm:ss", zone).parse(value)


@pytest.mark.parametrize("value", ["2017-09-27T20:35:12", "2017-09-27T20:35:12+02:00", "2017-09-27_20:35:12Z", "Z"])
@pytest.mark.parametrize("zone", ["", "PST"])
def test_a_quoted_z_has_to_be_there(value, zone):
    with pytest.raises(ValueError, match="its form is different"):
        compile_pattern("yyyy-MM-dd'T'HH:mm:ss'Z'", zone).parse(value)


@pytest.mark.parametrize("value", ["2017-09-27T20:35:12", "2017-09-27_20:35:12Z", "2017-09-27T20:35:12 PST8PDT"])
def test_an_offset_has_to_be_there(value):
    with pytest.raises(ValueError, match="its form is different"):
        compile_pattern("yyyy-MM-dd'T'HH:mm:ssXXX").parse(value)


def test_a_naive_moment_is_not_written():
    with pytest.raises(ValueError, match="has no time zone"):
        compile_pattern("yyyy").format(datetime(2017, 1, 1))  # noqa: DTZ001 - the mistake under test


@pytest.mark.parametrize(
    ("pattern", "unit"),
    [
        ("yyyy-MM-dd HH:mm:ss", timedelta(seconds=1)),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", timedelta(milliseconds=1)),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", timedelta(microseconds=1)),
        ("yyyy-MM-dd'T'HH:mmz", timedelta(minutes=1)),
        ("yyyy-MM-dd", timedelta(days=1)),
        ("yyyy-MM-dd h a", timedelta(hours=1)),
        ("yyyy-MM", timedelta(days=31)),
        ("milliseconds", timedelta(milliseconds=1)),
    ],
)
def test_unit_is_the_finest_field(pattern, unit):
    assert compile_pattern(pattern).unit == unit


WARNINGS = {
    ("YYYY-MM-dd", ""): (
        "YYYY is the year of the week, which differs from the calendar year around New Year; "
        "it is read as yyyy. Write yyyy-MM-dd"
    ),
    ("yyyy-MM-DD", ""): "DD is the day of the year; it is read as dd. Write yyyy-MM-dd",
    ("MM/dd/yyyy hh:mm", ""): (
        "hh is an hour from 1 to 12, but the pattern has no a for AM and PM; it is read as HH. Write MM/dd/yyyy HH:mm"
    ),
    ("yyyy-mm-dd HH:mm", ""): "mm is the minute; it is read as MM. Write yyyy-MM-dd HH:mm",
    ("yyyy-MM-dd HH:MM", ""): "MM is the month; it is read as mm. Write yyyy-MM-dd HH:mm",
    ("yyyy-MM-dd'T'HH:mm:ss'Z'", "PST"): (
        "'Z' is only text, so values are local time of PST. Write X if they are UTC, or leave the zone empty"
    ),
    ("yyyy HH:mm", ""): "it has no month and no day, so different moments look alike. Write yyyy-MM-dd HH:mm:ss",
    ("yyyy-MM", "EST"): "the time zone EST follows summer time. Write America/New_York, or -05:00 if it does not",
}


@pytest.mark.parametrize(("pattern", "zone", "warning"), [(*asked, warning) for asked, warning in WARNINGS.items()])
def test_a_pattern_that_cannot_mean_what_it_says_gets_a_warning(pattern, zone, warning):
    assert compile_pattern(pattern, zone).warnings == (f"{pattern}: {warning}",)


@pytest.mark.parametrize("pattern", ["YYYY-mm-DD hh:MM:ss", "YYYY-MM-DD HH:MM:ss"])
def test_a_repaired_pattern_reads_and_writes_what_was_meant(pattern):
    codec = compile_pattern(pattern)
    assert codec.format(MOMENT) == "2017-09-27 20:35:12"
    assert codec.parse("2017-09-27 20:35:12") == SECOND


@pytest.mark.parametrize("zone", ["", "GMT", "UTC", UTC, ZoneInfo("UTC"), ZoneInfo("GMT")])
def test_the_quoted_z_is_fine_where_the_zone_is_utc(zone):
    assert compile_pattern("yyyy-MM-dd'T'HH:mm:ss'Z'", zone).warnings == ()


@pytest.mark.parametrize(
    ("pattern", "position", "message"),
    [
        ("yyyy-MM-ddTHH:mm", 10, "the letter T has no meaning in a date pattern (write 'T', in quotes)"),
        ("key", 0, "the letter k has no meaning in a date pattern (write HH)"),
        (
            "10 digit integer",
            4,
            (
                "the letter i has no meaning in a date pattern "
                "(use the letters y M d H h m s S E a z Z X, and put text in quotes)"
            ),
        ),
        ("yyyy-MM-dd'THH:mm", 10, "this quote is never closed (quote text as in 'T'; write '' for a quote itself)"),
        ("yyyy]", 4, "this ] has no matching [ (quote it as ']' if it is text)"),
        ("yyyy[[MM]", 4, "this [ is never closed (quote it as '[' if it is text)"),
        ("yyyyXXXX", 4, "XXXX is too long (write at most XXX)"),
        ("MMMMM", 0, "MMMMM is too long (write at most MMMM)"),
        ("", 0, "the pattern has no letter for any part of a date (write e.g. yyyy-MM-dd HH:mm:ss)"),
        ("'T'Z", 0, "the pattern has no letter for any part of a date (write e.g. yyyy-MM-dd HH:mm:ss)"),
        ("y" * 201, 200, "the pattern is too long (at most 200 characters)"),
    ],
)
def test_an_illegal_pattern_is_refused_at_its_character(pattern, position, message):
    with pytest.raises(DatePatternError) as caught:
        compile_pattern(pattern)
    assert str(caught.value).splitlines()[0] == message
    assert (caught.value.text, caught.value.position) == (pattern, position)


# --- time zones -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "winter", "summer"),
    [
        (None, 0, 0),
        ("", 0, 0),
        ("UTC", 0, 0),
        ("gmt", 0, 0),
        ("PST", -8, -7),
        ("MST", -7, -6),
        ("CST", -6, -5),
        ("est", -5, -4),
        ("America/Denver", -7, -6),
        ("Etc/GMT+8", -8, -8),
        ("-8:00", -8, -8),
        ("-08:00", -8, -8),
        ("-0800", -8, -8),
        ("+06:00", 6, 6),
        ("GMT-8", -8, -8),
        ("UTC+05:30", 5.5, 5.5),
        ("+00:00", 0, 0),
    ],
)
def test_a_zone_has_the_offset_of_its_name(name, winter, summer):
    zone = parse_timezone(name)
    for month, hours in ((1, winter), (7, summer)):
        assert datetime(2017, month, 1, tzinfo=zone).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Amerca/Denver", "did you mean America/Denver?"),
        ("america/denver", "did you mean America/Denver?"),
        ("PDT", "write America/Los_Angeles, which includes the change to summer time and back"),
        ("+25:00", "write a name such as America/Denver, or an offset such as -07:00"),
        ("../../etc/passwd", "write a name such as America/Denver, or an offset such as -07:00"),
        ("localtime", "write a name such as America/Denver, or an offset such as -07:00"),
        ("{TimeZone}", "write a name such as America/Denver, or an offset such as -07:00"),
    ],
)
def test_an_unknown_zone_is_refused_with_a_hint(name, hint):
    with pytest.raises(DatePatternError) as caught:
        parse_timezone(name)
    assert (caught.value.message, caught.value.hint) == (f"unknown time zone {name}", hint)


@pytest.mark.parametrize("host_zone", ["America/New_York", "Asia/Tokyo"])
def test_the_zone_of_the_host_changes_nothing(host_zone, monkeypatch):
    import time

    monkeypatch.setenv("TZ", host_zone)
    time.tzset()
    try:
        assert compile_pattern("yyyy-MM-dd HH:mm").parse("2017-01-01 10:00").hour == 10
        assert compile_pattern("yyyy-MM-dd HH:mm z").parse("2017-07-01 10:00 EST").hour == 15
        with pytest.raises(DatePatternError):
            parse_timezone("EDT")
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


# --- days on which the clocks change ----------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["yyyy-MM-dd HH:mm:ss", "MM/dd/yyyy HH:mm"])
def test_a_time_that_the_clocks_show_twice_is_the_earlier_one(pattern):
    codec = compile_pattern(pattern, "America/New_York")
    first, second = datetime(2017, 11, 5, 5, 30, tzinfo=UTC), datetime(2017, 11, 5, 6, 30, tzinfo=UTC)
    assert codec.format(first) == codec.format(second)
    assert codec.parse(codec.format(second)) == first


@pytest.mark.parametrize("pattern", ["yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd  HH:mm:ss"])
def test_a_time_that_the_clocks_leave_out_is_read_with_the_offset_before(pattern):
    text = "2017-03-12 02:30:00" if pattern.count(" ") == 1 else "2017-03-12  02:30:00"
    assert compile_pattern(pattern, "PST").parse(text) == datetime(2017, 3, 12, 10, 30, tzinfo=UTC)


def test_an_offset_keeps_the_two_apart():
    codec = compile_pattern("yyyy-MM-dd HH:mm:ss z", "America/New_York")
    second = datetime(2017, 11, 5, 6, 30, tzinfo=UTC)
    assert codec.format(second) == "2017-11-05 01:30:00 EST"
    assert codec.parse(codec.format(second)) == second


CHANGES = [
    datetime(2017, 3, 12, 10, tzinfo=UTC),
    datetime(2017, 11, 5, 6, tzinfo=UTC),
    datetime(2017, 11, 5, 9, tzinfo=UTC),
    datetime(2017, 10, 29, 1, tzinfo=UTC),
    datetime(2017, 4, 1, 15, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC),
]
near_changes = st.builds(
    lambda change, seconds, micros: change + timedelta(seconds=seconds, microseconds=micros),
    st.sampled_from(CHANGES),
    st.integers(-8000, 8000),
    st.integers(0, 999_999),
)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2069, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from([*PATTERNS]), st.sampled_from(ZONES), near_changes | moments)
def test_what_is_written_is_read_back(pattern, zone, moment):
    codec = compile_pattern(pattern, zone)
    assert codec.parse(codec.format(moment)) == expected_after_round_trip(codec, moment)


def expected_after_round_trip(codec: DateCodec, moment: datetime) -> datetime:
    """`moment` cut to the codec's unit on its local clock; of two equal clock times the earlier one."""
    local = moment.astimezone(codec.timezone)
    if set("zZX") & set(codec.pattern.replace("'Z'", "")):
        local = moment.astimezone(timezone(local.utcoffset() // MINUTE * MINUTE))
    sizes = {"microsecond": timedelta(microseconds=1), "second": SECONDS, "minute": MINUTE, "hour": 60 * MINUTE}
    cut = local.replace(fold=0, **{part: 0 for part, size in sizes.items() if size < min(codec.unit, 24 * 60 * MINUTE)})
    if codec.unit < SECONDS:
        cut = cut.replace(microsecond=local.microsecond - local.microsecond % (codec.unit // sizes["microsecond"]))
    return cut.astimezone(UTC)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([*PATTERNS, "YYYY-mm-DD hh:MM", "z", "HH:mm a"]), st.text() | st.integers() | st.floats())
def test_any_value_gives_a_date_or_a_value_error(pattern, value):
    try:
        moment = compile_pattern(pattern if pattern != "z" else "yyyy z", "PST").parse(value)
    except ValueError:
        return
    assert moment.tzinfo is UTC


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="yMdHhmsSEazZXYDTk'[]-: .{}\n", max_size=30), st.text(max_size=20))
def test_any_pattern_and_zone_compile_or_are_refused_inside_the_text(pattern, zone):
    for made in ((pattern, None), ("yyyy", zone)):
        try:
            compile_pattern(*made).format(MOMENT)
        except DatePatternError as caught:
            error = caught
        else:
            continue
        assert 0 <= error.position <= len(error.text)


@settings(max_examples=300, deadline=None)
@given(moments, st.sampled_from(["", "PST"]), st.sampled_from(["", "'Z'", "XXX", "Z"]), st.booleans())
def test_the_fast_way_reads_what_the_careful_way_reads(moment, zone, tail, fraction):
    pattern = f"yyyy-MM-dd'T'HH:mm:ss{'.SSS' if fraction else ''}{tail}"
    fast, careful = compile_pattern(pattern, zone), compile_pattern(pattern.replace("'T'", "'T'''"), zone)
    text = fast.format(moment)
    assert careful.parse(text.replace("T", "T'", 1)) == fast.parse(text)


def test_a_codec_of_a_plugin_needs_the_four_members_only():
    class Days:
        unit = timedelta(days=1)
        ambiguity = timedelta(0)
        warnings = ()

        def parse(self, value: object, /) -> datetime:
            return datetime.combine(date.fromordinal(int(str(value))), datetime.min.time(), UTC)

        def format(self, moment: datetime, /) -> str:
            return str(moment.toordinal())

    codecs: list[Codec] = [Days(), compile_pattern("yyyy-MM-dd")]
    assert [codec.parse(codec.format(DAY)) for codec in codecs] == [DAY, DAY]


def test_a_pattern_is_compiled_once():
    assert compile_pattern("yyyy-MM-dd", "PST") is compile_pattern("yyyy-MM-dd", "PST")


def test_the_common_patterns_are_read_fast():
    from timeit import repeat

    parse, text = compile_pattern("yyyy-MM-dd HH:mm:ss").parse, "2017-09-27 20:35:12"
    read = datetime.fromisoformat
    ours = min(repeat(lambda: parse(text), number=1000, repeat=30))
    floor = min(repeat(lambda: read(text + "Z"), number=1000, repeat=30))
    assert ours < 5 * floor
