"""Writes a project: all of its files, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_free(directory: Path, where: str) -> None:
    """`ConfigurationError` where something is in the directory already, or where it is none."""
    try:
        if directory.is_symlink() and not directory.exists():
            raise NotADirectoryError
        taken = directory.exists() and any(directory.iterdir())
    except NotADirectoryError:
        raise ConfigurationError(f"{directory} is a file", where=where, hint="name another directory") from None
    except OSError as error:
        raise ConfigurationError(f"{directory} cannot be looked into: {error.strerror}", where=where) from None
    if taken:
        raise ConfigurationError(
            f"the directory {directory} is not empty", where=where, hint="name another one, or empty it"
        )


def write_project(files: Mapping[str, str], directory: Path, where: str = "--into") -> list[Path]:
    """The files that were written. What was made is taken away again where one cannot be.

    `ConfigurationError` for a directory that is not empty, or that cannot be written.
    """
    check_free(directory, where)
    made: list[Path] = []
    try:
        for path, text in files.items():
            _make_directory((directory / path).parent, made)
            with (directory / path).open("x", encoding="utf-8", newline="\n") as file:
                made.append(directory / path)
                file.write(text)
    except OSError as error:
        _take_away(made)
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"{error.filename or directory} cannot be written: {reason}", where=where, hint="name another directory"
        ) from None
    except BaseException:
        _take_away(made)
        raise
    return [directory / path for path in files]


def _make_directory(directory: Path, made: list[Path]) -> None:
    missing = [parent for parent in (directory, *directory.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        made.append(parent)


def _take_away(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
