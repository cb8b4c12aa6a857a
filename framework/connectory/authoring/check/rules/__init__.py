"""The rules, by what they look at: `RULES` has all of them, the lowest tier first."""

from ..rule import Rule
from . import code, configuration, contract, documents, element, hooks, packaging, polling

_PARTS = (packaging, hooks, element, configuration, polling, contract, documents, code)

RULES: tuple[Rule, ...] = tuple(sorted((rule for part in _PARTS for rule in part.RULES), key=lambda rule: rule.tier))

__all__ = ["RULES"]
