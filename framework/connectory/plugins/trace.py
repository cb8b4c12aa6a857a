"""Tells which plugin answered which hook: for the command line, and for the log at level DEBUG."""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..secrets import redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pluggy

MOST_SHOWN = 300
"""The number of characters that are shown of an answer."""

_ADDRESS = re.compile(r"( object)? at 0x[0-9a-f]+")

log = logging.getLogger("connectory.hooks")


@dataclass(frozen=True, kw_only=True, slots=True)
class HookCall:
    """One call of a hook. `asked` has the plugins in the order of asking, and `answered` those that gave an answer.

    `answer` is a short text of the result, without secrets; `error` is the exception that a plugin raised instead.
    `wrappers` are the plugins that saw the call and the result, and could change both.
    """

    hook: str
    element: str
    asked: tuple[str, ...]
    answered: tuple[str, ...]
    answer: str
    seconds: float
    error: str | None = None
    wrappers: tuple[str, ...] = ()

    def describe(self) -> str:
        who = ", ".join(self.answered) or ("somebody" if self.wrappers else "nobody")
        said = f"failed: {self.error}" if self.error else f"answered by {who}: {self.answer}"
        return f"{self.hook} of {self.element}, {self.seconds * 1000:.2f} ms, {said}"


def traced(
    caller: pluggy.HookCaller, element: str, arguments: Mapping[str, Any], tell: Callable[[HookCall], None]
) -> Any:
    """Call a hook as pluggy does, and tell who was asked and who answered."""
    implementations = list(reversed(caller.get_hookimpls()))
    wrappers = tuple(one.plugin_name for one in implementations if one.wrapper or one.hookwrapper)
    asked: list[str] = []
    answered: list[str] = []
    answer, error, started = None, None, time.perf_counter()
    try:
        if wrappers:
            # Only pluggy can call wrappers, and it does not tell who answered.
            asked += [one.plugin_name for one in implementations if one.plugin_name not in wrappers]
            answer = caller(**arguments)
        else:
            answer = _asked_in_turn(caller, implementations, arguments, asked, answered)
    except Exception as raised:
        error = redactor.scrub(f"{type(raised).__name__}: {raised}")
        raise
    finally:
        tell(
            HookCall(
                hook=caller.name,
                element=element,
                asked=tuple(asked),
                answered=tuple(answered),
                answer=shown(answer),
                seconds=time.perf_counter() - started,
                error=error,
                wrappers=wrappers,
            )
        )
    return answer


def _asked_in_turn(
    caller: pluggy.HookCaller,
    implementations: Sequence[pluggy.HookImpl],
    arguments: Mapping[str, Any],
    asked: list[str],
    answered: list[str],
) -> Any:
    is_first = caller.spec is not None and bool(caller.spec.opts["firstresult"])
    answers = []
    for one in implementations:
        asked.append(one.plugin_name)
        function: Callable[..., Any] = one.function
        answer = function(*(arguments[name] for name in one.argnames))
        if answer is None:
            continue
        answered.append(one.plugin_name)
        if is_first:
            return answer
        answers.append(answer)
    return None if is_first else answers


def shown(answer: Any) -> str:
    """A short text of an answer: resources by their names, secrets masked."""
    text = _named(answer) if isinstance(answer, list) else repr(answer)
    text = redactor.scrub(_ADDRESS.sub("", text))
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _named(answer: Sequence[Any]) -> str:
    """The joined answers of all plugins."""
    found = [one for part in answer for one in (part if isinstance(part, list | tuple) else [part])]
    return f"[{', '.join(str(getattr(one, 'name', None) or repr(one)) for one in found)}]"


def tell_log(call: HookCall) -> None:
    log.debug("%s", call.describe())
