"""The metadata of a plugin's project, or of its installed distribution."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ...errors import ConfigurationError
from ...plugins import ENTRY_POINT_GROUP

if TYPE_CHECKING:
    import importlib.metadata
    from collections.abc import Mapping

_READMES = ("README.md", "README.rst", "README.txt", "README")


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """`path` is the project's directory, or None if the plugin is installed without it; `tests` are its test folders.

    `unknown` are the metadata fields that are known only after a build.
    """

    name: str
    version: str | None = None
    description: str = ""
    requires_python: str | None = None
    dependencies: tuple[str, ...] = ()
    license: str | None = None
    readme: str = ""
    entry_points: Mapping[str, str]
    unknown: frozenset[str] = frozenset()
    path: Path | None = None
    tests: tuple[Path, ...] = ()

    @property
    def roots(self) -> list[Path]:
        """The directories that its modules are imported from."""
        return [] if self.path is None else [root for root in (self.path / "src", self.path) if root.is_dir()]


def read_project(path: Path) -> Project:
    """The project in a directory; raises `ConfigurationError` if it is not the project of a plugin."""
    file = path / "pyproject.toml"
    whole = _read_toml(file)
    about = _table(whole, file, "project")
    entry_points = _table(about, file, "entry-points", ENTRY_POINT_GROUP)
    if not entry_points:
        raise ConfigurationError(
            f"this is not a plugin's project: it has no entry point in the group {ENTRY_POINT_GROUP!r}",
            where=str(file),
            hint=f'add [project.entry-points.{ENTRY_POINT_GROUP}] with a line such as demo = "connectory_demo"',
        )
    own = _table(whole, file, "tool", "connectory")
    return Project(
        name=about.get("name", path.resolve().name),
        version=about.get("version"),
        description=about.get("description", ""),
        requires_python=about.get("requires-python"),
        dependencies=tuple(about.get("dependencies", ())),
        license=_license(about.get("license")),
        readme=_readme(path, about.get("readme")),
        entry_points=entry_points,
        unknown=frozenset(about.get("dynamic", ())),
        path=path.resolve(),
        tests=tuple((path / name).resolve() for name in own.get("tests", ["tests"])),
    )


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigurationError(
            "this is not a plugin's project: it has no pyproject.toml",
            where=str(file.parent),
            hint="`connect plugin new NAME` writes a project",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the file is not TOML: {error}", where=str(file)) from None


def _table(whole: Mapping[str, Any], file: Path, *names: str) -> dict[str, Any]:
    """The table under these names, or an empty one if it does not exist."""
    found: Any = whole
    for name in names:
        found = found.get(name, {})
        if not isinstance(found, dict):
            raise ConfigurationError(f"{name!r} is not a table", where=str(file))
    return dict(found)


def _license(value: Any) -> str | None:
    """`license` is an expression, or in older projects a table with a text or a file."""
    return (value.get("text") or value.get("file")) if isinstance(value, dict) else value


def _readme(path: Path, named: Any) -> str:
    if isinstance(named, dict):
        if "text" in named:
            return str(named["text"])
        named = named.get("file")
    names = [named] if named else _READMES
    return next(((path / name).read_text("utf-8", "replace") for name in names if (path / name).is_file()), "")


def installed_project(distribution: importlib.metadata.Distribution | None, entry: Mapping[str, str]) -> Project:
    """The project of a distribution: from its directory if it is installed in place, else from its metadata."""
    if distribution is None:
        return Project(name=next(iter(entry)), entry_points=entry)
    path = _editable_path(distribution)
    if path is not None and (path / "pyproject.toml").is_file():
        return read_project(path)
    about = distribution.metadata.json
    return Project(
        name=distribution.name,
        version=distribution.version,
        description=_text(about.get("summary")) or "",
        requires_python=_text(about.get("requires_python")),
        dependencies=tuple(distribution.requires or ()),
        license=_text(about.get("license_expression") or about.get("license")),
        readme=_text(about.get("description")) or "",
        entry_points=entry,
    )


def _text(value: str | list[str] | None) -> str | None:
    return value[0] if isinstance(value, list) else value


def _editable_path(distribution: importlib.metadata.Distribution) -> Path | None:
    text = distribution.read_text("direct_url.json")
    origin = json.loads(text) if text else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(url2pathname(urlsplit(origin["url"]).path))
