"""What proves that a listing is complete, and what counts records."""

from __future__ import annotations

import json
import random

import pytest

from connectory.deletes import AuditLog, Counts, Feed, Sweep, total_in_body, total_in_header
from connectory.model import Resource, Response
from connectory.proof import Proof
from connectory.schemas import PollerConfiguration


def page(count: int | None = None, status: int = 200, body: object = None) -> Response:
    headers = {} if count is None else {"X-Total-Count": str(count)}
    return Response(status=status, headers=headers, body=json.dumps(body).encode())


def proof(counts: Counts = Counts.WHOLE, **more) -> Proof:
    return Proof(**{"total": total_in_header("X-Total-Count"), "counts": counts, "page_size": 3, **more})


def doubt_of(a_proof: Proof, pages: list[tuple[Response, list[str | None]]], distinct: int | None = None) -> str | None:
    for response, ids in pages:
        a_proof.see(response, ids)
    different = {key for _, ids in pages for key in ids if key is not None}
    return a_proof.end(len(different) if distinct is None else distinct)


WHOLE = [(page(5), ["a", "b", "c"]), (page(5), ["d", "e"])]
REST = [(page(5), ["a", "b", "c"]), (page(2), ["d", "e"])]


def test_a_list_that_shows_all_it_counts_is_complete():
    assert doubt_of(proof(), WHOLE) is None
    assert doubt_of(proof(Counts.REST, ascending=True), REST) is None
    assert doubt_of(proof(), [(page(0), [])]) is None
    assert doubt_of(proof(Counts.REST), [(page(0), [])]) is None


def test_without_a_count_the_end_of_the_list_has_to_do():
    assert doubt_of(proof(total=None), [(page(), ["a", "b", "c"]), (page(), [])]) is None


def test_new_records_behind_the_page_are_no_doubt_where_the_rest_is_counted():
    moved = [(page(5), ["a", "b", "c"]), (page(3), ["d", "e", "f"])]
    assert doubt_of(proof(Counts.REST), moved) is None


@pytest.mark.parametrize(
    ("a_proof", "pages", "reason"),
    [
        (proof(), [], "no page was read"),
        (proof(), WHOLE[:1], "2 records were counted but not listed"),
        (proof(), [WHOLE[0], (page(5), ["d"])], "1 records were counted but not listed"),
        (proof(), [WHOLE[0], (page(4), ["d"])], "changed from 5 to 4"),
        (proof(), [WHOLE[0], (page(5), ["d", None])], "do not show their id"),
        (proof(), [WHOLE[0], (page(), ["d", "e"])], "does not say how many"),
        (proof(), [WHOLE[0], (page(5), ["c", "d"])], "only 4 different ones"),
        (proof(), [(page(5, status=403), [])], "answered 403"),
        (proof(), [(page(1), ["a", "b"])], "-1 records"),
        (proof(Counts.REST), REST[:1], "2 records were counted but not listed"),
        (proof(Counts.REST), [REST[0], (page(2), ["d"])], "shows 1 records, but 2 were expected"),
        (proof(Counts.REST), [(page(5), ["a", "b"]), (page(2), ["d", "e"])], "shows 2 records, but 3 were expected"),
        (proof(Counts.REST), [REST[0], (page(0), [])], "counted 2 more records, and then only 0"),
        (proof(Counts.REST), [(page(5), [])], "shows 0 records, but 3 were expected"),
        (proof(Counts.REST, ascending=True), [REST[0], (page(2), ["e", "d"])], "not in the order"),
        (proof(Counts.REST, ascending=True), [REST[0], (page(2), ["b", "e"])], "not in the order"),
        (proof(total=None, ascending=True), [(page(), ["b", "a"])], "not in the order"),
    ],
)
def test_a_list_that_may_lack_something_is_not(a_proof, pages, reason):
    assert reason in str(doubt_of(a_proof, pages))


def test_the_first_doubt_is_the_one_that_is_told():
    found = proof()
    found.see(page(5, status=500), [])
    found.see(page(), [None])
    assert found.end(0) == "the provider answered 500 instead of a page"


@pytest.mark.parametrize("counts", list(Counts))
def test_no_list_that_lacks_a_record_passes(counts):
    """Ten thousand lists, each of which leaves something out somewhere."""
    chance = random.Random(counts.value)
    for _ in range(10_000):
        ids = [f"{number:04}" for number in range(chance.randint(1, 12))]
        hidden = set(chance.sample(ids, chance.randint(1, len(ids))))
        size = chance.randint(1, 4)
        pages, place = [], 0
        while place < len(ids):
            taken = ids[place : place + size]
            shown = [key for key in taken if key not in hidden]
            counted = len(ids) if counts is Counts.WHOLE else len(ids) - place
            pages.append((page(counted), shown))
            place += size
        if chance.random() < 0.3:
            del pages[chance.randint(0, len(pages) - 1) :]
        assert doubt_of(proof(counts, page_size=size), pages) is not None


def test_counts_are_read_where_they_stand():
    in_header, in_body = total_in_header("X-Total-Count"), total_in_body("$total")
    assert in_header(page(7)) == 7
    assert in_body(page(body={"$total": 7, "$items": []})) == 7
    for odd in ("", "-1", "many", "1.5", "٣"):
        assert in_header(Response(status=200, headers={"X-Total-Count": odd}, body=b"")) is None
    for odd in ({}, {"$total": None}, {"$total": "7"}, {"$total": 1.5}, [], 7, None):
        assert in_body(page(body=odd)) is None
    assert in_body(Response(status=200, headers={}, body=b"{cut")) is None


def test_what_a_plugin_has_to_say_is_little():
    log = Resource(name="removals", path="/audit", updated_field="at")
    assert AuditLog(log=log, object_field="object", date_format="yyyy").confirm is False
    assert Feed(query="deleted_since=${epoch}", date_field="at", date_format="yyyy").interval.total_seconds() == 0
    assert Sweep().confirm is True
    assert Sweep().interval.days == 1


# What users write


def entry(**more):
    return PollerConfiguration().deserialize({"things": {"url": "/hubs/general/things", **more}})["things"]


def test_nothing_is_tracked_unless_it_is_asked_for():
    for off in ({}, {"trackDeletes": False, "trackChanges": "false", "ignoreFields": []}):
        found = entry(**off)
        assert (found.track_deletes, found.track_changes, found.ignore_fields) == (None, None, ())


def test_tracking_is_true_or_an_object_with_options():
    assert entry(trackDeletes=True).track_deletes.max_share == 0.1
    assert entry(trackDeletes="true").track_deletes.confirm is None
    options = entry(trackDeletes={"interval": 90, "maxShare": 0.5, "confirm": False}).track_deletes
    assert (options.interval.total_seconds(), options.max_share, options.confirm) == (5400, 0.5, False)
    assert entry(trackChanges=True).track_changes.previous is False
    assert entry(trackChanges={"previous": True}).track_changes.previous is True
    assert entry(ignoreFields=["a", "b"]).ignore_fields == ("a", "b")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"trackDeletes": "often"}, "neither true, nor false"),
        ({"trackDeletes": 1}, "neither true, nor false"),
        ({"trackDeletes": {"maxShare": 2}}, "maxShare"),
        ({"trackDeletes": {"intervall": 5}}, "intervall: Unknown field"),
        ({"trackDeletes": {"interval": 0}}, "too short"),
        ({"trackChanges": {"previous": "perhaps"}}, "previous: Not a valid boolean"),
        ({"ignoreFields": "a"}, "Not a valid list"),
    ],
)
def test_a_mistake_in_an_option_is_named(wrong, text):
    from marshmallow import ValidationError

    with pytest.raises(ValidationError) as caught:
        entry(**wrong)
    assert text in flattened(caught.value.messages)


def flattened(messages: object) -> str:
    if isinstance(messages, dict):
        return "; ".join(f"{key}: {flattened(value)}" for key, value in messages.items())
    return " ".join(map(str, messages)) if isinstance(messages, list) else str(messages)
