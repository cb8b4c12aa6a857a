"""Writes all files of a project, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def check_free(directory: Path, where: str) -> None:
    """Raise `ConfigurationError` if the directory is not empty, or is not a directory."""
    try:
        if directory.is_symlink() and not directory.exists():
            raise NotADirectoryError
        taken = directory.exists() and any(directory.iterdir())
    except NotADirectoryError:
        raise ConfigurationError(f"{directory} is a file", where=where, hint="name another directory") from None
    except OSError as error:
        raise ConfigurationError(f"the directory {directory} cannot be read: {error.strerror}", where=where) from None
    if taken:
        raise ConfigurationError(
            f"the directory {directory} is not empty", where=where, hint="name another directory, or empty this one"
        )


def write_project(files: Mapping[str, str], directory: Path, where: str = "--into") -> list[Path]:
    """Write the files, and return their paths. If one cannot be written, remove those that were written before it.

    Raises `ConfigurationError` if the directory is not empty or cannot be written.
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
        _remove(made)
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"{error.filename or directory} cannot be written: {reason}", where=where, hint="name another directory"
        ) from None
    except BaseException:
        _remove(made)
        raise
    return [directory / path for path in files]


def _make_directory(directory: Path, made: list[Path]) -> None:
    missing = [parent for parent in (directory, *directory.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir()
        made.append(parent)


def _remove(made: list[Path]) -> None:
    for path in reversed(made):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
