"""The built-in plugin: it is asked last, and answers in a way that fits most providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ceql
from ..dates import compile_pattern, parse_timezone
from ..errors import QueryError
from ..hookspecs import hookimpl
from ..templates import parse_template

if TYPE_CHECKING:
    from ..dates import Codec
    from ..model import Element, Params, Query, Resource, Window
    from ..templates import Rendered


@hookimpl(trylast=True)
def connect_render_template(element: Element, resource: Resource, template: str, window: Window) -> Rendered:
    parsed, bound = parse_template(template), resource.bound
    return parsed.fill(window.start - bound.step_back(parsed.unit), server_timezone=parse_timezone(bound.zone))


@hookimpl(trylast=True)
def connect_date_format(element: Element, pattern: str, timezone: str | None) -> Codec:
    return compile_pattern(pattern, timezone)


@hookimpl(trylast=True)
def connect_translate_query(element: Element, resource: Resource, query: Query) -> Params:
    """Turns each `field = value` term into a parameter of that name, which is what simple APIs understand."""
    terms: list[tuple[str, str]] = []
    for term in ceql.conjuncts(query.expression):
        if not isinstance(term, ceql.Comparison) or term.operator != "=":
            text = ceql.to_text(query.expression) if query.expression else ""
            raise QueryError(
                f"{element.key} understands only `field = value` terms joined by `and`",
                text=text,
                position=getattr(term, "position", 0),
                hint="its plugin can implement connect_translate_query to translate more",
            )
        terms.append((term.field, str(term.value)))
    return (*query.params, *terms)
