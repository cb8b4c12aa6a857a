"""Each outage is new once, and ends once."""

from __future__ import annotations

from connectory.delivery.outages import Outages


def test_a_failure_is_new_until_it_has_ended():
    outages = Outages()
    assert [outages.begins("a"), outages.begins("a"), outages.begins("b")] == [True, False, True]
    assert [outages.ends("a"), outages.ends("a")] == [True, False]
    assert outages.begins("a")
    assert not outages.begins("b")


def test_a_success_without_a_failure_is_not_news():
    assert not Outages().ends("a")
