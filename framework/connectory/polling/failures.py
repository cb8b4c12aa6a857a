"""Turns whatever ended a poll into a failure that can be stored: the reason, and whose mistake it is."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from ..errors import ConnectoryError, PluginError
from ..secrets import redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..plans.plan import Plan

MOST_TEXT = 500
"""How many characters of an unexpected exception's text are kept."""


def as_failure(error: Exception, plan: Plan | None) -> ConnectoryError:
    """The error itself if it is one of ours. Otherwise one that names the exception, and the plugin it came from."""
    if isinstance(error, ConnectoryError):
        return error
    text = _text_of(error)
    place = _place_in(error, _plugin_packages(plan)) if plan is not None else None
    if place is not None and plan is not None:
        return PluginError(
            f"the plugin {plan.plugins.owner_of(plan.element.key)!r} failed: {text}",
            hint=f"the mistake is in the plugin, at {place}",
        )
    return ConnectoryError(
        f"an unexpected error ended the poll: {text}",
        hint=f"please report it as a mistake in Connectory, at {_place_in(error, {'connectory'})}",
    )


def reason_of(error: ConnectoryError) -> str:
    """The text that is stored. It holds no character that a database refuses."""
    return str(error).replace("\0", "\\0").encode(errors="backslashreplace").decode()


def _text_of(error: Exception) -> str:
    """`KeyError: 'id'`. The standard library formats it, because an exception's own `__str__` may fail as well."""
    lines = traceback.format_exception_only(error)
    text = next((line for line in lines if not line.startswith(" ")), type(error).__name__)
    return redactor.scrub(text.strip()[:MOST_TEXT])


def _plugin_packages(plan: Plan) -> set[str]:
    """The top-level packages of the objects that the element's plugin brought."""
    element, codecs = plan.element, (plan.updated_codec, plan.created_codec)
    parts = (element.config_schema, element.judge, plan.paginator, plan.resource.deletes, *codecs)
    return {_package_of(part.__module__) for part in parts if part is not None} - {"connectory", "builtins"}


def _place_in(error: Exception, packages: set[str]) -> str | None:
    """The innermost place in these packages that the exception came through; None if there is none."""
    places = [
        f"{module}.{frame.f_code.co_name}, line {line}"
        for frame, line in _frames(error)
        if _package_of(module := str(frame.f_globals.get("__name__", ""))) in packages
    ]
    return places[-1] if places else None


def _frames(error: Exception) -> Iterator[tuple[Any, int]]:
    return traceback.walk_tb(error.__traceback__)


def _package_of(module: str) -> str:
    return module.partition(".")[0]
