from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory import ceql
from connectory.ceql import And, Comparison, In, IsNull, Like, Literal, Or
from connectory.errors import QueryError


def bare(value):
    return Literal(value, quoted=False)


def equals(name, value="1"):
    return Comparison(name, "=", Literal(value))


A, B, C, D = (equals(name) for name in "abcd")

QUERIES = {
    "search ='x'": equals("search", "x"),
    "lastModifiedDate>='2017'": Comparison("lastModifiedDate", ">=", Literal("2017")),
    "a != 'x'": Comparison("a", "!=", Literal("x")),
    "a <> 'x'": Comparison("a", "!=", Literal("x")),
    "a < 3": Comparison("a", "<", bare(3)),
    "a<=-3.50": Comparison("a", "<=", bare(-3.5)),
    "a = TRUE": Comparison("a", "=", bare(True)),
    "a = false": Comparison("a", "=", bare(False)),
    "a = 007": Comparison("a", "=", bare("007")),
    "a = 2015-01-06": Comparison("a", "=", bare("2015-01-06")),
    "a > 2015-01-06 09:31:38 ": Comparison("a", ">", bare("2015-01-06 09:31:38")),
    "`metaData.lastUpdateTime` > 2015-01-06T09:31:38-07:00": Comparison(
        "metaData.lastUpdateTime", ">", bare("2015-01-06T09:31:38-07:00")
    ),
    "'Modified Time' > 2015-01-06T09:31:38.5Z": Comparison("Modified Time", ">", bare("2015-01-06T09:31:38.5Z")),
    "config.url='http://a'": equals("config.url", "http://a"),
    "größe_1 = 'x'": equals("größe_1", "x"),
    "a in (1,'b' , 2015-01-06)": In("a", (bare(1), Literal("b"), bare("2015-01-06"))),
    "a Not In ('b')": In("a", (Literal("b"),), negated=True),
    "a like '%b%'": Like("a", "%b%"),
    "a NOT LIKE 'b%'": Like("a", "b%", negated=True),
    "a is null": IsNull("a"),
    "a IS NOT NULL": IsNull("a", negated=True),
    "a = null": IsNull("a"),
    "a != NULL": IsNull("a", negated=True),
    "a='1' and b='1' or c='1'": Or((And((A, B)), C)),
    "a='1' or b='1' AND c='1'": Or((A, And((B, C)))),
    "(a='1' or b='1') and c='1'": And((Or((A, B)), C)),
    "a='1' and (b='1' and (c='1'))and d='1'": And((A, B, C, D)),
    "((a='1'))": A,
    "a='1'and(b='1')": And((A, B)),
    "like = '1' or in in ('1') and null is null": Or(
        (equals("like"), And((In("in", (Literal("1"),)), IsNull("null"))))
    ),
    "android='1' and order='1'": And((equals("android"), equals("order"))),
    "a='it''s'": equals("a", "it's"),
    r"a='it\'s'": equals("a", "it's"),
    r"a='c:\dir\\' and b='1'": And((equals("a", "c:\\dir\\"), B)),
    r"a='c:\'": equals("a", "c:\\"),
    "a=''": equals("a", ""),
    "a='R&D = (100%)'": equals("a", "R&D = (100%)"),
    "a=\u2018x\u2019 and b=\u201cy\u201d": And((equals("a", "x"), equals("b", "y"))),
    "a='O\u2019Brien'": equals("a", "O\u2019Brien"),
    'a="x y"': equals("a", "x y"),
    "a\u00a0=\n'1'": A,
    "a='1' and b='1": And((A, B)),
    "a='1' and attributes='created_at,updated_at": And((A, equals("attributes", "created_at,updated_at"))),
    "a='x and y": equals("a", "x and y"),
}


@pytest.mark.parametrize(("text", "tree"), QUERIES.items())
def test_a_query_is_read(text, tree):
    assert ceql.parse(text) == tree


@pytest.mark.parametrize("text", ["", "  ", "\n\u00a0"])
def test_a_blank_query_is_none(text):
    assert ceql.parse(text) is None


def test_true_is_not_one():
    assert type(ceql.parse("a=true").value.value) is bool
    assert type(ceql.parse("a=1").value.value) is int


def test_atoms_know_where_they_stand():
    text = "a='1' and (`b` in (1) or c like 'x') and d is null"
    assert [text[node.position] for node in ceql.walk(ceql.parse(text)) if hasattr(node, "position")] == [*"a`cd"]


OPERATORS = "an operator such as = or IN"
NOT_HINT = "(NOT may only come before IN, LIKE and NULL: status NOT IN ('closed'))"
TICKS = "(put a field name with spaces or signs between backticks)"


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("a >=", 4, "expected a value after >=, found the end"),
        ("a", 1, f"expected {OPERATORS} after a, found the end {TICKS}"),
        ("Modified Time > 1", 9, f"expected {OPERATORS} after Modified, found Time {TICKS}"),
        ("a#b = 1", 1, f"expected {OPERATORS} after a, found # {TICKS}"),
        (
            "not (a=1)",
            4,
            f"expected {OPERATORS} after not, found ( {NOT_HINT}",
        ),
        ("= 1", 0, "expected a field name at the start, found ="),
        ("1 = 1", 0, "expected a field name at the start, found 1"),
        ("a=1 and", 7, "expected a field name after and, found the end"),
        ("a=1 and or b=1", 11, f"expected {OPERATORS} after or, found b {TICKS}"),
        ("a = and b=1", 4, "expected a value after =, found and"),
        ("a=active", 2, "expected a value after =, found active (put text in quotes: 'active')"),
        ("status = in progress", 9, "expected a value after =, found in (put text in quotes: 'in')"),
        ("a = open and b = @", 4, "expected a value after =, found open (put text in quotes: 'open')"),
        ("a = null b", 9, "expected AND or OR after null, found b"),
        ("a = = 1", 4, "expected a value after =, found ="),
        ("a=()", 2, "expected a value after =, found ("),
        ("a=2015-13", 2, "expected a value after =, found 2015-13"),
        ("a=1 b=2", 4, "expected AND or OR after 1, found b"),
        ("(a=1 b=2)", 5, "expected AND, OR or ) after 1, found b"),
        ("a='x' 'y'", 6, "expected AND or OR after 'x', found '"),
        ("a='it's'", 6, "expected AND or OR after 'it', found s"),
        ("a like 5", 7, "expected text in quotes after like, found 5"),
        ("a not b", 6, "expected IN or LIKE after not, found b"),
        ("a is b", 5, "expected NULL after is, found b"),
        ("a in 1", 5, "expected ( after in, found 1"),
        ("a in (1 2)", 8, "expected a comma or ) after 1, found 2"),
        ("a in (1,)", 8, "expected a value after ,, found )"),
        ("a in ()", 6, "expected a value after (, found )"),
        ("a > null", 2, "NULL cannot be compared with > (write IS NULL or IS NOT NULL)"),
        ("a in (1, null)", 0, "NULL cannot be in a list (add: OR a IS NULL)"),
        ("''=1", 0, "the field name is empty"),
        ("a=1)", 3, "unbalanced parenthesis: this ) has no matching ("),
        ("(a=1) and b='x')", 15, "unbalanced parenthesis: this ) has no matching ("),
        ("(a=1", 0, "unbalanced parenthesis: this ( is never closed"),
        ("a=1 and ((b=')') or c=2", 8, "unbalanced parenthesis: this ( is never closed"),
        ("a in (1", 5, "unbalanced parenthesis: this ( is never closed"),
        ("(" * 33 + "a=1" + ")" * 33, 32, "parentheses are nested more than 32 levels deep"),
        ("a='" + "x" * 16384, 16384, "the query is longer than 16384 characters"),
    ],
)
def test_a_mistake_is_explained_at_its_character(text, position, message):
    with pytest.raises(QueryError) as caught:
        ceql.parse(text)
    assert str(caught.value).splitlines()[0] == message
    assert (caught.value.text, caught.value.position) == (text, position)


def test_parentheses_side_by_side_or_in_text_are_not_deep():
    assert len(ceql.conjuncts(ceql.parse(" and ".join(["(a='(')"] * 100)))) == 100
    assert ceql.parse("(" * 32 + "a='1'" + ")" * 32) == A


# --- properties -------------------------------------------------------------------------------------------------

names = st.sampled_from(["a", "caller_id.name", "Modified Time", "a`b", "and", "größe", "9", "it's"]) | st.text(
    min_size=1
).filter(str.strip)
texts = st.text(alphabet="ab'\\\"`%()=\u2018\u2019\u201c \n") | st.text()
literals = (
    texts.map(Literal)
    | st.integers(-(10**30), 10**30).map(bare)
    | st.floats(allow_nan=False, allow_infinity=False).map(bare)
    | st.booleans().map(bare)
    | st.sampled_from(["007", "2015-01-06", "2015-01-06T09:31:38-07:00", "2015-01-06 09:31:38"]).map(bare)
)
atoms = (
    st.builds(Comparison, names, st.sampled_from(["=", "!=", "<", ">", "<=", ">="]), literals)
    | st.builds(In, names, st.lists(literals, min_size=1, max_size=4).map(tuple), st.booleans())
    | st.builds(Like, names, texts, st.booleans())
    | st.builds(IsNull, names, st.booleans())
)


def trees(leaves):
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda kind, terms: kind(tuple(terms)), st.sampled_from([And, Or]), st.lists(inner, min_size=2, max_size=3)
        ),
        max_leaves=8,
    )


@settings(max_examples=500, deadline=None)
@given(trees(atoms))
def test_what_is_written_is_read_as_the_same_tree(tree):
    again = ceql.parse(ceql.to_text(tree))
    assert again == tree
    assert repr([type(node.value.value) for node in ceql.walk(again) if isinstance(node, Comparison)]) == repr(
        [type(node.value.value) for node in ceql.walk(tree) if isinstance(node, Comparison)]
    )


words = st.sampled_from(
    [
        *(
            "a",
            "b.c",
            "'x'",
            "'",
            "`",
            "(",
            ")",
            ",",
            "=",
            ">=",
            "!",
            " ",
            "and",
            "OR",
            "not",
            "in",
            "like",
            "is",
            "null",
        ),
        *("1", "-2.5", "2015-01-06", "\\", "\u2018", "\u201d", '"', "#", "\n", "\x00"),
    ]
)


@settings(max_examples=800, deadline=None)
@given(st.text(max_size=40) | st.lists(words, max_size=14).map(" ".join) | st.lists(words, max_size=14).map("".join))
def test_any_text_is_a_query_or_refused_inside_the_text(text):
    try:
        tree = ceql.parse(text)
    except QueryError as caught:
        error = caught
    else:
        assert tree is None or ceql.parse(ceql.to_text(tree)) == tree
        return
    assert 0 <= error.position <= len(text)
    assert error.text == text
    assert not any(word in str(error).split("\n")[0] for word in ("RPAR", "BARE", "$END", "Token("))


small_atoms = st.builds(equals, st.sampled_from("abcde"), st.sampled_from("12"))


@settings(max_examples=300, deadline=None)
@given(trees(small_atoms), st.dictionaries(st.sampled_from("abcde"), st.sampled_from("12")))
def test_groups_mean_what_the_tree_means(tree, record):
    groups = ceql.to_cnf(tree, limit=10_000)
    by_groups = all(any(ceql.matches(atom, record.get) for atom in group) for group in groups)
    assert by_groups == ceql.matches(tree, record.get)


# --- what translators ask ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("", []),
        ("a='1'", [[A]]),
        ("a='1' and b='1'", [[A], [B]]),
        ("a='1' or b='1'", [[A, B]]),
        ("a='1' or b='1' and c='1'", [[A, B], [A, C]]),
        ("(a='1' or b='1') and (c='1' or d='1')", [[A, B], [C, D]]),
        ("a='1' and b='1' or a='1' and c='1'", [[A], [A, C], [B, A], [B, C]]),
    ],
)
def test_groups_of_which_one_has_to_hold(text, groups):
    assert ceql.to_cnf(ceql.parse(text)) == groups


def test_too_many_groups_are_refused_before_they_are_made():
    pairs = " or ".join(f"(a{n}='1' and b{n}='1')" for n in range(60))
    with pytest.raises(QueryError) as caught:
        ceql.to_cnf(ceql.parse(pairs))
    assert (caught.value.message, caught.value.hint) == (
        "the query needs more than 200 groups of conditions",
        "use fewer ANDs inside ORs",
    )
    with pytest.raises(QueryError, match="more than 2 groups"):
        ceql.to_cnf(And((A, B, C)), limit=2)


def test_conjuncts_and_fields():
    tree = ceql.parse("b='1' and (a='1' or c='1') and b in ('1')")
    assert ceql.conjuncts(tree) == [B, Or((A, C)), In("b", (Literal("1"),))]
    assert ceql.fields(tree) == ("b", "a", "c")
    assert ceql.conjuncts(A) == [A]
    assert (ceql.conjuncts(None), ceql.fields(None), list(ceql.walk(None))) == ([], (), [])


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (Literal("O'Brien"), "O'Brien"),
        (bare(True), "true"),
        (bare(3), "3"),
        (bare(1e22), "10000000000000000000000.0"),
        (bare(2.5), "2.5"),
        (bare("007"), "007"),
    ],
)
def test_a_literal_is_the_plain_text_of_a_parameter(literal, text):
    assert str(literal) == text


def test_a_junction_needs_two_terms():
    with pytest.raises(ValueError, match="And needs two terms or more"):
        And((A,))


RECORD = {"n": 10, "text": "10", "float": 2.5, "name": "O'Brien & Sons", "open": True, "empty": "", "none": None}


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("", True),
        ("n > 9", True),
        ("text > 9", True),
        ("text > '9'", True),
        ("text = 10.0", True),
        ("n = 12345678901234567890", False),
        ("float < 2.51", True),
        ("float = 2.5", True),
        ("n >= 10 and n <= 10 and n != 11", True),
        ("n < 10 or n > 10", False),
        ("name = 'o''brien & sons'", False),
        ("name > 'O'", True),
        ("name like 'o''brien%'", True),
        ("name like '%SONS'", True),
        ("name like 'O%&%s'", True),
        ("name like 'O_Brien%'", False),
        ("name like '%sons%sons'", False),
        ("name like 'sons'", False),
        ("name not like '%smith%'", True),
        ("open = true", True),
        ("open = 'true'", True),
        ("open = 1", False),
        ("n in (9, '10')", True),
        ("n not in (9, 10)", False),
        ("none is null and empty is null and missing is null", True),
        ("n is not null", True),
        ("none = ''", False),
        ("empty = ''", True),
        ("none != 'x' and none not in ('x') and none not like 'x'", True),
        ("none < 1 or none >= 1", False),
        ("none like '%'", False),
    ],
)
def test_a_record_is_matched(query, holds):
    assert ceql.matches(ceql.parse(query), RECORD.get) is holds


def test_a_hostile_pattern_takes_no_time():
    assert not ceql.matches(Like("a", "%a" * 2000 + "%b"), {"a": "a" * 20_000}.get)


def test_a_query_is_parsed_once():
    assert ceql.parse("a = 'once'") is ceql.parse("a = 'once'")
