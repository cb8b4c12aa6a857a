from __future__ import annotations

import pytest

from connectory.store import credentials, instances
from connectory.store.database import Database

PAIR = {
    "access_token": "a1",
    "refresh_token": "r1",
    "token_type": "Bearer",
    "scope": "all",
    "expires_at": 1000,
    "extra": {"id": 7},
    "renewed_at": 100,
}
LEASE = {"version": 1, "owner": "me", "now": 200, "until": 300}


@pytest.fixture
def database(tmp_path):
    opened = Database.open(f"sqlite:///{tmp_path}/a.db")
    with opened.write() as connection:
        facts = {"element_key": "e", "name": "n", "tags": [], "configuration": {}, "external_authentication": "none"}
        for _ in range(2):
            instances.add(connection, facts | {"state": instances.ACTIVE, "created_at": 0, "updated_at": 0})
        credentials.put(connection, 1, PAIR)
    yield opened
    opened.close()


@pytest.fixture
def connection(database):
    with database.write() as connection:
        yield connection


def row(connection):
    return credentials.get(connection, 1)._asdict()


def test_a_login_is_stored_as_it_was_given(connection):
    assert row(connection) == PAIR | {
        "instance_id": 1,
        "version": 1,
        "account": None,
        "lease_owner": None,
        "lease_until": None,
        "lease_epoch": 0,
        "failed_at": None,
        "failure": None,
    }
    assert credentials.get(connection, 2) is None


def test_a_new_login_takes_the_place_of_the_old_one_with_its_lease_and_failure(connection):
    epoch = credentials.take_lease(connection, 1, **LEASE)
    credentials.fail(connection, 1, version=1, epoch=epoch, failed_at=250, failure="no")
    credentials.take_lease(connection, 1, **LEASE)
    assert credentials.put(connection, 1, PAIR | {"access_token": "a2"}) == 2
    after = row(connection)
    assert (after["access_token"], after["lease_owner"], after["failed_at"], after["failure"]) == (
        "a2",
        None,
        None,
        None,
    )


def test_a_lease_is_taken_once(connection):
    assert credentials.take_lease(connection, 1, **LEASE) == 1
    assert credentials.take_lease(connection, 1, **LEASE | {"owner": "you", "now": 300}) is None
    assert row(connection)["lease_owner"] == "me"


def test_a_lease_that_has_run_out_is_taken_over(connection):
    credentials.take_lease(connection, 1, **LEASE)
    assert credentials.take_lease(connection, 1, **LEASE | {"owner": "you", "now": 301}) == 2
    assert row(connection)["lease_owner"] == "you"


def test_a_lease_is_for_the_version_that_was_read(connection):
    assert credentials.take_lease(connection, 1, **LEASE | {"version": 2}) is None
    assert credentials.take_lease(connection, 2, **LEASE) is None


def test_a_renewed_pair_is_written_once_per_version(connection):
    epoch = credentials.take_lease(connection, 1, **LEASE)
    assert credentials.replace(connection, 1, 1, PAIR | {"access_token": "a2"}) is True
    assert credentials.replace(connection, 1, 1, PAIR | {"access_token": "a3"}) is False
    after = row(connection)
    assert (after["version"], after["access_token"], after["lease_owner"]) == (2, "a2", None)
    assert after["lease_epoch"] == epoch


def test_a_lease_is_ended_by_its_holder_only(connection):
    old = credentials.take_lease(connection, 1, **LEASE)
    credentials.take_lease(connection, 1, **LEASE | {"owner": "you", "now": 301})
    credentials.end_lease(connection, 1, old)
    assert row(connection)["lease_owner"] == "you"
    credentials.end_lease(connection, 1, old + 1)
    assert row(connection)["lease_owner"] is None


def test_a_failure_is_written_by_the_holder_and_of_the_version_that_was_refused(connection):
    epoch = credentials.take_lease(connection, 1, **LEASE)
    refused = {"failed_at": 250, "failure": "no"}
    assert credentials.fail(connection, 1, version=1, epoch=epoch - 1, **refused) is False
    assert credentials.fail(connection, 1, version=2, epoch=epoch, **refused) is False
    assert row(connection)["failed_at"] is None
    assert credentials.fail(connection, 1, version=1, epoch=epoch, **refused) is True
    after = row(connection)
    assert (after["failed_at"], after["failure"], after["lease_owner"]) == (250, "no", None)


def test_a_renewed_pair_makes_a_failure_forgotten(connection):
    epoch = credentials.take_lease(connection, 1, **LEASE)
    credentials.fail(connection, 1, version=1, epoch=epoch, failed_at=250, failure="no")
    credentials.replace(connection, 1, 1, PAIR)
    assert row(connection)["failure"] is None


def test_the_leases_of_the_dead_are_free_at_once(connection):
    credentials.take_lease(connection, 1, **LEASE)
    credentials.free_leases(connection, ["you"])
    assert row(connection)["lease_owner"] == "me"
    credentials.free_leases(connection, ["me", "you"])
    assert credentials.take_lease(connection, 1, **LEASE | {"owner": "you"}) == 2


def test_the_account_belongs_to_a_login_and_outlives_its_renewals(connection):
    before = row(connection)
    credentials.set_account(connection, 1, "ann")
    assert row(connection) == before | {"account": "ann"}
    credentials.replace(connection, 1, 1, PAIR | {"access_token": "a2"})
    assert row(connection)["account"] == "ann"
    credentials.put(connection, 1, PAIR, account="bob")
    assert row(connection)["account"] == "bob"
    credentials.put(connection, 1, PAIR)
    assert row(connection)["account"] is None


def test_a_login_goes_with_its_instance(connection):
    instances.remove(connection, 1)
    assert credentials.get(connection, 1) is None
