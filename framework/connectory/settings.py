"""The settings: from the environment, else from `<home>/connectory.toml`, else defaults."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS_FILE = "connectory.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Where Connectory keeps its data, and how much it does at once.

    At most `workers` polls and `delivery_workers` lanes run at the same time. If changes are tracked, the last version
    of an object is kept for `snapshot_days` after its last change.
    """

    home: Path
    database_url: str
    workers: int
    delivery_workers: int
    snapshot_days: int

    @classmethod
    def load(cls, home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
        home = (home or _default_home(environ)).expanduser().absolute()
        values = _read_file(home / SETTINGS_FILE)
        return cls(
            home=home,
            database_url=environ.get("CONNECTORY_DATABASE_URL")
            or values.get("database_url")
            or f"sqlite:///{home / 'connectory.db'}",
            workers=_count("workers", environ, values, 16),
            delivery_workers=_count("delivery_workers", environ, values, 8),
            snapshot_days=_count("snapshot_days", environ, values, 90),
        )


def _default_home(environ: Mapping[str, str]) -> Path:
    if environ.get("CONNECTORY_HOME"):
        return Path(environ["CONNECTORY_HOME"])
    from platformdirs import user_data_path

    return user_data_path("connectory", appauthor=False)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"the file cannot be read: {error}", where=str(path)) from error


def _count(name: str, environ: Mapping[str, str], values: Mapping[str, Any], default: int) -> int:
    variable = f"CONNECTORY_{name.upper()}"
    value = environ.get(variable, values.get(name, default))
    try:
        count = int(value)
    except (TypeError, ValueError):
        count = 0
    if count < 1:
        raise ConfigurationError(f"{value!r} is not a whole number of at least 1", where=variable)
    return count
