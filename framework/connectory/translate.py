"""Translates CEQL into the terms of a provider, for `connect_translate_query`.

`to_params` is for providers that take conditions as query parameters. `Encoder` is for providers that take the whole
query as one string (`$filter` of OData, `WHERE` of Salesforce): a subclass says how a condition is written.

>>> from connectory import ceql
>>> from connectory.model import Query
>>> translate = to_params({"status": "state", "updated": {">=": "updated_since", ">": "updated_since"}})
>>> translate(Query(expression=ceql.parse("status = 'open' and updated >= '2024-05-01'"), page_size=100))
(('state', 'open'), ('updated_since', '2024-05-01'))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from .ceql import And, Comparison, In, IsNull, Like, Or, conjuncts, to_text
from .errors import QueryError

if TYPE_CHECKING:
    from typing import NoReturn

    from .ceql import Atom, Expression
    from .ceqltree import Literal as Value
    from .model import Params, Query

Target = str | Callable[[str], "Params"]
"""The name of a parameter, or a function that makes parameters from the text of a value."""

Operators = Target | Mapping[str, Target]
"""A target for `=`, or a target for each operator that the provider supports: = != < > <= >= IN LIKE."""


def to_params(
    fields: Mapping[str, Operators], *, others: Literal["refuse", "pass"] = "refuse"
) -> Callable[[Query], Params]:
    """Make a translator of queries into parameters. The provider joins the parameters by AND.

    `fields` names for each field the operators that the provider supports, and the parameter that each becomes. The
    values of IN are joined by commas. LIKE loses its outer `%`. With `others="pass"`, a field that is not listed
    becomes the parameter of the same name, for `=` only. The parameters of the URL come first and are not changed.

    Errors: a `QueryError` points at what the provider cannot do: OR, an operator, a field, or two conditions that
    become the same parameter.

    >>> from connectory import ceql
    >>> from connectory.model import Query
    >>> translate = to_params({"id": {"=": "ids", "IN": "ids"}, "day": lambda day: (("from", day), ("to", day))})
    >>> translate(Query(expression=ceql.parse("id in ('a', 'b') and day = '2024-05-01'"), page_size=100))
    (('ids', 'a,b'), ('from', '2024-05-01'), ('to', '2024-05-01'))
    """

    def translate(query: Query) -> Params:
        found: list[tuple[str, str]] = []
        for term in conjuncts(query.expression):
            if isinstance(term, And | Or):
                raise _refused(query.expression, term, "terms can only be joined by AND here")
            added = _params(query.expression, term, fields, others)
            if any(name == known for name, _ in added for known, _ in found):
                raise _refused(
                    query.expression,
                    term,
                    f"the provider takes one condition on {term.field}, and this asks for it twice",
                )
            found += added
        return (*query.params, *found)

    return translate


def _params(
    whole: Expression | None, term: Atom, fields: Mapping[str, Operators], others: Literal["refuse", "pass"]
) -> Params:
    operators = fields.get(term.field, term.field if others == "pass" else None)
    if operators is None:
        known = ", ".join(fields) or "none"
        raise _refused(whole, term, f"{term.field} is not a field that can be searched", f"these can: {known}")
    table = operators if isinstance(operators, Mapping) else {"=": operators}
    operator, value = _condition(term)
    target = table.get(operator)
    if target is None or value is None:
        raise _refused(whole, term, f"{operator} is not supported for {term.field}", f"supported: {' '.join(table)}")
    return ((target, value),) if isinstance(target, str) else target(value)


def _condition(term: Atom) -> tuple[str, str | None]:
    """The operator, and the value as the text of a parameter; None for a condition without a value."""
    if isinstance(term, Comparison):
        return term.operator, str(term.value)
    negation = "NOT " if term.negated else ""
    if isinstance(term, In):
        return f"{negation}IN", ",".join(str(value) for value in term.values)
    if isinstance(term, Like):
        return f"{negation}LIKE", term.pattern.strip("%")
    return f"IS {negation}NULL", None


def _refused(whole: Expression | None, part: Expression, message: str, hint: str | None = None) -> QueryError:
    text = to_text(whole) if whole is not None else ""
    return QueryError(message, text=text, position=max(0, text.find(to_text(part))), hint=hint)


class Encoder:
    """Writes an expression as one string. Subclass it and say how a comparison is written.

    Call `encode`. The other methods return the text of one node and may be overridden. `joined` and `grouped` write
    AND, OR and parentheses. By default IN becomes comparisons, and LIKE and NULL are refused with a `QueryError` that
    points at them. `refuse` raises such an error.

    >>> class OData(Encoder):
    ...     words = {"=": "eq", "!=": "ne", "<": "lt", ">": "gt", "<=": "le", ">=": "ge"}
    ...     def comparison(self, atom, field, operator, value):
    ...         text = f"'{value}'".replace("''", "''''") if value.quoted else str(value)
    ...         return f"{field} {self.words[operator]} {text}"
    >>> from connectory import ceql
    >>> OData().encode(ceql.parse("state = 'open' and (size > 3 or size in (0, 1))"))
    "state eq 'open' and (size gt 3 or size eq 0 or size eq 1)"
    """

    _whole: Expression | None = None

    def encode(self, expression: Expression | None) -> str:
        """The text of a whole expression; an empty text for None."""
        if expression is None:
            return ""
        # Work on a copy, because all threads share one encoder.
        own = type(self).__new__(type(self))
        own.__dict__.update(self.__dict__)
        own._whole = expression
        return own.node(expression)

    def node(self, expression: Expression) -> str:
        if isinstance(expression, And):
            return self.joined("and", [self._inside_and(term) for term in expression.terms])
        if isinstance(expression, Or):
            return self.joined("or", [self.node(term) for term in expression.terms])
        return self.atom(expression)

    def _inside_and(self, term: Expression) -> str:
        text = self.node(term)
        return self.grouped(text) if isinstance(term, Or) or _becomes_or(term) else text

    def joined(self, word: Literal["and", "or"], texts: list[str]) -> str:
        return f" {word} ".join(texts)

    def grouped(self, text: str) -> str:
        return f"({text})"

    def atom(self, atom: Atom) -> str:
        if isinstance(atom, Comparison):
            return self.comparison(atom, atom.field, atom.operator, atom.value)
        if isinstance(atom, In):
            return self.membership(atom)
        return self.likeness(atom) if isinstance(atom, Like) else self.nullness(atom)

    def comparison(self, atom: Atom, field: str, operator: str, value: Value) -> str:
        """The text of one comparison. `operator` is one of = != < > <= >=; `refuse` takes the `atom`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it writes a comparison")

    def membership(self, atom: In) -> str:
        word: Literal["and", "or"] = "and" if atom.negated else "or"
        sign = "!=" if atom.negated else "="
        return self.joined(word, [self.comparison(atom, atom.field, sign, value) for value in atom.values])

    def likeness(self, atom: Like) -> str:
        self.refuse(atom, "LIKE is not supported here")

    def nullness(self, atom: IsNull) -> str:
        self.refuse(atom, "IS NULL is not supported here")

    def refuse(self, atom: Atom, message: str, hint: str | None = None) -> NoReturn:
        raise _refused(self._whole, atom, message, hint)


def _becomes_or(term: Expression) -> bool:
    return isinstance(term, In) and not term.negated and len(term.values) > 1
