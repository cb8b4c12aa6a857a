"""Opening a store: new ones, older ones, newer ones, broken ones."""

from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from connectory.errors import StoreError
from connectory.store import migrations
from connectory.store.database import Database
from connectory.store.tables import metadata


def differences(database: Database) -> list:
    with database.read() as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)


def test_the_migrations_lead_to_the_tables(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/a.db")
    with database.write() as connection:
        migrations.upgrade(connection)
    assert differences(database) == []
    with database.read() as connection:
        assert migrations.current(connection) == migrations.HEAD
    database.close()


def test_a_new_store_has_the_same_tables(tmp_path):
    database = Database.open_in(tmp_path / "new", f"sqlite:///{tmp_path}/new/a.db")
    assert differences(database) == []
    database.close()


def test_head_is_the_newest_migration():
    assert ScriptDirectory(migrations.__path__[0]).get_current_head() == migrations.HEAD


def test_a_store_of_a_newer_version_is_left_alone(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    database = Database.open(url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreError, match=r"written by a newer version of Connectory .its revision 9999") as caught:
        Database.open(url)
    assert caught.value.exit_code == 5
    assert "upgrade Connectory" in str(caught.value)


@pytest.mark.parametrize("revision", ["0001", "0002", "0003"])
def test_a_store_from_before_the_first_release_says_what_to_do(tmp_path, revision):
    url = f"sqlite:///{tmp_path}/a.db"
    database = Database.open(url)
    with database.write() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    database.close()
    with pytest.raises(StoreError, match=f"before the first release .its revision {revision}") as caught:
        Database.open(url)
    assert "name another folder with --home" in str(caught.value)
    assert "connect instances list --json" in str(caught.value)


def test_a_file_that_is_no_store(tmp_path):
    (tmp_path / "a.db").write_text("these are my notes, not a database, and they go on for a while" * 20)
    with pytest.raises(StoreError, match="this file is not a Connectory store"):
        Database.open(f"sqlite:///{tmp_path}/a.db")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot create the folder"):
        Database.open_in(tmp_path / "file" / "home", "sqlite://")


def test_a_store_that_cannot_be_opened(tmp_path):
    with pytest.raises(StoreError, match="the store cannot be opened"):
        Database.open(f"sqlite:///{tmp_path}/no/such/folder/a.db")


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x", ""])
def test_a_url_that_is_none(url):
    with pytest.raises(StoreError, match="this is not a valid database URL"):
        Database.open(url)


def test_a_full_disk_loses_nothing_and_says_so(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/a.db")
    with database.read() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        # The pool hands the same connection out again, and with it the limit.

    def fill() -> None:
        with database.write() as connection:
            for number in range(100):
                connection.execute(text(f"INSERT INTO counters VALUES ('{number}{'x' * 4000}', 1)"))

    with pytest.raises(StoreError, match="the disk is full") as caught:
        fill()
    assert "nothing that was announced is lost" in str(caught.value)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM counters")).scalar() == 0
    database.close()


def test_a_store_that_is_kept_locked_says_so_and_works_again_afterwards(tmp_path):
    database, other = (Database.open(f"sqlite:///{tmp_path}/a.db") for _ in range(2))
    with other.read() as connection:
        # The pool hands the same connection out again, and with it the impatience.
        connection.exec_driver_sql("PRAGMA busy_timeout=1")
    with (
        database.write(),
        pytest.raises(StoreError, match="another process has kept the store locked for too long") as caught,
        other.write(),
    ):
        pass
    assert "a.db" in str(caught.value)
    with other.write() as connection:
        connection.execute(text("INSERT INTO counters VALUES ('again', 1)"))
    for opened in (database, other):
        opened.close()


@pytest.mark.parametrize("number", range(20))
def test_many_processes_may_open_a_new_store_at_once(tmp_path, number):
    url, failures = f"sqlite:///{tmp_path}/{number}.db", []

    def open_it():
        try:
            Database.open(url).close()
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_readers_do_not_wait_for_a_writer(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/a.db")
    with database.write() as writing:
        writing.execute(text("INSERT INTO counters VALUES ('a', 1)"))
        with database.read() as reading:
            assert reading.execute(text("SELECT count(*) FROM counters")).scalar() == 0
    database.close()
