"""Answers for callers that ask for XML instead of JSON."""

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

XML_TYPE = "application/xml;charset=UTF-8"


def wants_xml(request: Request) -> bool:
    return request.accept_mimetypes.best_match(["application/json", "application/xml"]) == "application/xml"


def as_xml(reply: Response) -> None:
    """Turn a JSON reply into an XML reply; other replies are returned unchanged."""
    if reply.mimetype == "application/json":
        elements = "".join(_elements("response", json.loads(reply.get_data())))
        reply.set_data(f'<?xml version="1.0" encoding="UTF-8"?>{elements}')
        reply.content_type = XML_TYPE


def _elements(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _elements(name, item)
    elif isinstance(value, dict):
        inner = "".join(text for key, item in value.items() for text in _elements(key, item))
        yield f"<{name}>{inner}</{name}>"
    else:
        yield f"<{name}>{escape(str(value or ''))}</{name}>"
