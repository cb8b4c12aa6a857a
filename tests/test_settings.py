from __future__ import annotations

import pytest

from connectory.errors import ConfigurationError
from connectory.settings import Settings


def test_defaults(tmp_path):
    settings = Settings.load(tmp_path, {})
    assert settings.home == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path}/connectory.db"
    assert (settings.workers, settings.delivery_workers) == (16, 8)


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "connectory.toml").write_text('workers = 3\ndatabase_url = "sqlite:////x.db"\n')
    assert Settings.load(tmp_path, {}).workers == 3
    assert Settings.load(tmp_path, {}).database_url == "sqlite:////x.db"
    settings = Settings.load(tmp_path, {"CONNECTORY_WORKERS": "5", "CONNECTORY_DATABASE_URL": "sqlite:////y.db"})
    assert (settings.workers, settings.database_url) == (5, "sqlite:////y.db")


def test_connectory_home(tmp_path):
    assert Settings.load(None, {"CONNECTORY_HOME": str(tmp_path)}).home == tmp_path


@pytest.mark.parametrize("value", ["0", "-1", "many", ""])
def test_a_bad_number_names_the_variable(tmp_path, value):
    with pytest.raises(ConfigurationError, match=r"^CONNECTORY_WORKERS: .* is not a whole number of at least 1"):
        Settings.load(tmp_path, {"CONNECTORY_WORKERS": value})


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "connectory.toml").write_text("workers = = 3")
    with pytest.raises(ConfigurationError, match=r"connectory\.toml: the file cannot be read"):
        Settings.load(tmp_path, {})
