"""Each way to break an element fails the check that was written for it, and the message names the cure."""

from __future__ import annotations

import pytest

import spoilt
from connectory.testing import ElementContract
from connectory.testing.contract.running import run_contract
from demo import Demo

KEYSET = ("test_order_of_a_keyset_holds",)

BROKEN = {
    "test_id_field_holds_the_id": (spoilt.wrong_id_field, "'number'"),
    "test_list_shows_new_records": (spoilt.id_of_something_else, "lacks 2 of 2"),
    "test_updated_dates_round_trip": (spoilt.naive_dates, "no time zone"),
    "test_updated_dates_are_true": (spoilt.zone_dropped, "whole hours means a wrong zone"),
    "test_created_dates_are_true": (spoilt.wrong_zone, "its created date reads"),
    "test_updated_field_is_there": (spoilt.updated_missing, "updatedDateField"),
    "test_updated_is_announced_once": (spoilt.created_moves, "announced as ['CREATED']"),
    "test_changes_in_mid_scan_lose_nothing": (spoilt.offset_without_order, "never shown"),
    "test_no_page_is_read_twice": (spoilt.last_page_for_ever, "does not end"),
    "test_pages_hold_each_record_once": (spoilt.stops_one_early, "lacks"),
    "test_order_of_a_keyset_holds": (spoilt.keyset_without_order, "do not come in the order"),
    "test_page_size_is_asked_for": (spoilt.page_size_ignored, "pages of"),
    "test_window_start_is_asked_for": (spoilt.window_dropped, "does not reach the provider"),
    "test_ties_at_the_bound_are_announced": (spoilt.strict_bound, "at which a poll ended"),
    "test_filters_are_translated_or_refused": (spoilt.filter_left_out, "does not hand it on"),
    "test_filters_are_obeyed": (spoilt.filter_misnamed, "ignores the condition"),
    "test_or_is_not_taken_for_and": (spoilt.or_as_and, "OR and AND alike"),
    "test_not_is_not_left_out": (spoilt.negation_left_out, "NOT IN"),
    "test_translation_is_the_same_each_time": (spoilt.counted_translation, "in two ways"),
    "test_ended_access_token_is_renewed_once": (spoilt.never_renews, "ends the login"),
    "test_renewed_token_is_stored_before_it_is_used": (spoilt.renews_by_itself, "another access token"),
    "test_rotated_refresh_token_is_kept": (spoilt.renews_by_itself, "the old one is still stored"),
    "test_token_is_renewed_before_it_is_refused": (spoilt.keeps_a_token, "sent all the same"),
    "test_dead_login_needs_a_person": (spoilt.dead_login_not_seen, "the instance is active"),
    "test_web_page_is_no_list": (spoilt.html_is_empty, "accepted as a list"),
    "test_failed_page_announces_nothing": (spoilt.html_is_empty, "changes are lost"),
    "test_rate_limit_is_waited_for": (spoilt.limit_is_fatal, "429 ends with ProviderError"),
    "test_forbidden_is_no_page": (spoilt.forbidden_is_empty, "403 is accepted"),
    "test_refused_token_needs_a_login": (spoilt.refusal_is_final, "401 to every request ends with ProviderError"),
    "test_judge_survives_anything": (spoilt.judge_reads_json, "the judge fails at status"),
    "test_secrets_are_marked": (spoilt.secret_not_marked, "demo.api.key"),
    "test_secrets_are_not_in_reprs": (spoilt.secret_in_repr, "the repr of the auth"),
    "test_secrets_are_not_logged": (spoilt.token_logged, "written to the log"),
    "test_schema_declares_what_is_configured": (spoilt.schema_of_nothing, "does not declare"),
    "test_wrong_values_are_refused": (spoilt.schema_of_anything, "demo.url accepts"),
    "test_defaults_can_be_used": (spoilt.no_default, "demo.size has no default"),
    "test_wrong_login_is_refused_at_once": (spoilt.probe_always_succeeds, "with a login that does not work"),
    "test_probe_is_cheap": (spoilt.no_probe, "has no probe"),
    "test_deleted_is_announced_once": (spoilt.deletes_not_told, "announced as nothing"),
    "test_answers_for_no_other_element": (spoilt.hijacker, "connect_date_format"),
    "test_sandbox_lets_no_stranger_in": (spoilt.open_sandbox, "carry no login"),
    "test_sandboxes_do_not_share_their_state": (spoilt.shared_state, "in another"),
    "test_element_is_registered": (spoilt.unknown_hook, "cannot be used"),
}


def contract_of(*plugins) -> type[ElementContract]:
    return type("TestSpoilt", (ElementContract,), {"plugin": plugins, "element": "demo"})


class TestDemo(ElementContract):
    """The good element passes all."""

    plugin = Demo()
    element = "demo"
    may_skip = KEYSET


@pytest.mark.parametrize("check", BROKEN)
def test_the_check_finds_it_and_names_the_cure(check):
    spoil, words = BROKEN[check]
    (outcome,) = run_contract(contract_of(*spoil()), [check])
    assert outcome.status == "failed", outcome
    message, _, cure = outcome.message.rpartition("\n")
    assert words in f"{message} {cure}"
    assert cure.startswith("cure: ")
    assert len(cure) > len("cure: ....")
