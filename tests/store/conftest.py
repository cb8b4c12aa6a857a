from __future__ import annotations

import pytest
from mailroom import NOW, URL
from sqlalchemy import insert

from connectory.store import subscriptions
from connectory.store.database import Database
from connectory.store.tables import instances


@pytest.fixture
def database(tmp_path):
    """A store with the instances 1 and 2."""
    database = Database.open(f"sqlite:///{tmp_path}/store.db")
    with database.write() as connection:
        connection.execute(
            insert(instances),
            [
                {
                    "id": number,
                    "element_key": "toy",
                    "name": f"toy {number}",
                    "tags": [],
                    "configuration": {},
                    "state": "active",
                    "external_authentication": "none",
                    "version": 1,
                    "created_at": 0,
                    "updated_at": 0,
                }
                for number in (1, 2)
            ],
        )
    yield database
    database.close()


@pytest.fixture
def subscription(database):
    with database.write() as connection:
        return subscriptions.create(connection, 1, URL, NOW)
