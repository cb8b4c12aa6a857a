"""Rules, and the outcomes of applying them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .subject import Subject


class Tier(enum.IntEnum):
    """How far a plugin has come; each tier includes those below it."""

    NONE = 0
    BRONZE = 1
    SILVER = 2
    GOLD = 3
    PLATINUM = 4

    @property
    def title(self) -> str:
        return self.name.lower()


class State(enum.StrEnum):
    """The state of a rule. "Not checked" counts as not met, "not applicable" as met."""

    MET = "met"
    NOT_MET = "not met"
    NOT_APPLICABLE = "not applicable"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """`details` are the problems, one each: where it is and what is wrong."""

    state: State
    details: tuple[str, ...] = ()


MET = Outcome(state=State.MET)


def met_unless(problems: Iterable[str]) -> Outcome:
    found = tuple(dict.fromkeys(problems))
    return Outcome(state=State.NOT_MET, details=found) if found else MET


def not_applicable(why: str) -> Outcome:
    return Outcome(state=State.NOT_APPLICABLE, details=(why,))


def not_checked(why: str) -> Outcome:
    return Outcome(state=State.NOT_CHECKED, details=(why,))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """`title` is the claim that is checked, `reason` says why it matters, and `cure` how to meet it."""

    id: str
    tier: Tier
    title: str
    reason: str
    cure: str
    check: Callable[[Subject], Outcome]
