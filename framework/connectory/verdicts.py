"""Ready-made parts of a judge: each knows one habit of providers, and `judges` combines them.

An opinion is a function that takes a response and gives a `Verdict`, or None if it does not apply. If no opinion
applies, the HTTP status decides.

>>> from connectory.model import Response
>>> busy_means_wait = error_field("error.code", retry=("BUSY",))
>>> judge = judges(page_instead_of_json(), busy_means_wait, statuses({402: "the trial is over"}))
>>> judge(Response(status=200, headers={"Content-Type": "application/json"}, body=b'{"items": []}')).action.name
'ACCEPT'
>>> busy = b'{"error": {"code": "BUSY", "message": "try again"}}'
>>> judge(Response(status=200, headers={"Content-Type": "application/json"}, body=busy)).action.name
'RETRY'
>>> judge(Response(status=402, headers={}, body=b"")).reason
'the trial is over'

Opinions see every page, so those in this module decode only the part of the body that they need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .model import Action, Verdict, judge_by_status, retry_after
from .path import Path
from .ratelimits import seconds_to_reset

if TYPE_CHECKING:
    from .model import Judge, Response

Opinion = Callable[["Response"], Verdict | None]
"""A judge that answers None if it does not apply."""

Reader = Callable[["Response"], str]
"""Reads a message for people from a response; an empty text if the response has none."""

_LONGEST = 300


def judges(*opinions: Opinion, otherwise: Judge = judge_by_status, message: Reader | None = None) -> Judge:
    """The verdict of the first opinion that applies, or else the verdict of `otherwise`.

    `message` reads the provider's own error message, which becomes the `provider_message` of a verdict without one.
    It is not called for accepted answers.

    >>> from connectory.model import Response
    >>> judge = judges(message=message_at("message"))
    >>> judge(Response(status=500, headers={}, body=b'{"message": "out of paper"}')).provider_message
    'out of paper'
    """

    def judge(response: Response) -> Verdict:
        found = (verdict for opinion in opinions if (verdict := opinion(response)) is not None)
        verdict = next(found, None) or otherwise(response)
        if message is None or verdict.action is Action.ACCEPT or verdict.provider_message:
            return verdict
        return replace(verdict, provider_message=message(response) or None)

    return judge


def message_at(*paths: str) -> Reader:
    """Read the texts at these JSON paths of a body, joined by colons: at most 300 characters, never a whole body.

    >>> from connectory.model import Response
    >>> message_at("error.message", "error.detail")(
    ...     Response(status=400, headers={}, body=b'{"error": {"message": "no", "detail": "such field"}}'))
    'no: such field'
    """

    places = [Path.parse(path) for path in paths]

    def read(response: Response) -> str:
        values = (place.find_in(response.body) for place in places)
        return ": ".join(str(value) for value in values if value not in (None, ""))[:_LONGEST]

    return read


def statuses(table: Mapping[int, Verdict | str]) -> Opinion:
    """Verdicts by HTTP status. A text means a final failure with that reason.

    >>> from connectory.model import Response
    >>> statuses({404: Verdict(action=Action.EMPTY)})(Response(status=404, headers={}, body=b"")).action.name
    'EMPTY'
    """
    verdicts = {
        status: Verdict(action=Action.FAIL, reason=verdict) if isinstance(verdict, str) else verdict
        for status, verdict in table.items()
    }
    return lambda response: verdicts.get(response.status)


def page_instead_of_json(*, hint: str | None = None) -> Opinion:
    """RETRY if a web page comes with a good status: a log-in page, the page of a proxy, or a maintenance page.

    >>> from connectory.model import Response
    >>> html = Response(status=200, headers={"Content-Type": "text/html"}, body=b"<title>Sign in</title>")
    >>> page_instead_of_json()(html).provider_message
    'Sign in'
    """

    def opinion(response: Response) -> Verdict | None:
        if response.status >= 300 or not _is_page(response):
            return None
        return Verdict(
            action=Action.RETRY,
            reason="the provider answered with a web page instead of JSON",
            hint=hint or "open the provider's address in a browser: it may be down for maintenance",
            provider_message=page_title(response) or None,
        )

    return opinion


def _is_page(response: Response) -> bool:
    if response.content_type in {"text/html", "application/xhtml+xml"}:
        return True
    return not response.content_type.endswith("json") and response.body[:200].lstrip().lower().startswith(
        (b"<!doctype html", b"<html")
    )


_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def page_title(response: Response) -> str:
    """The title of a web page; an empty text if it has none."""
    match = _TITLE.search(response.body[:4_000].decode("utf-8", "replace"))
    return " ".join(match[1].split())[:_LONGEST] if match else ""


def error_field(
    path: str,
    *,
    message: str | None = None,
    renew: Collection[Any] = (),
    retry: Collection[Any] = (),
    good: Collection[Any] = (),
) -> Opinion:
    """An error that the body reports, whatever the status: the JSON path leads to its code.

    A code in `renew` means that the token was refused, and a code in `retry` that the same request may succeed later.
    A code in `good` (such as `"ok"`) means success, and so do a missing field, null, false, zero and an empty text. Any
    other code is a final failure. `message` is the path of a text for people.

    >>> from connectory.model import Response
    >>> opinion = error_field("status.code", good=("OK",), renew=("TOKEN",))
    >>> opinion(Response(status=200, headers={}, body=b'{"status": {"code": "OK"}}'))
    >>> opinion(Response(status=200, headers={}, body=b'{"status": {"code": "TOKEN"}}')).action.name
    'RENEW'
    """

    place = Path.parse(path)
    text_place = Path.parse(message) if message else None

    def opinion(response: Response) -> Verdict | None:
        code = place.find_in(response.body)
        if not code or code in good:
            return None
        text = text_place.find_in(response.body) if text_place else None
        return _told(response, code, str(text) if text else "", renew, retry)

    return opinion


def error_array(
    *,
    path: str = "",
    code: str = "code",
    message: str = "message",
    renew: Collection[str] = (),
    retry: Collection[str] = (),
) -> Opinion:
    """A list of errors at the JSON path (`""`: the body is the list), each with a code and a text.

    If `path` is empty, answers with a good status are not examined, because a list of records looks the same. The first
    code that is in `renew` or `retry` decides for the whole list.

    >>> from connectory.model import Response
    >>> body = b'[{"code": "BAD", "message": "no date"}, {"code": "BAD", "message": "no name"}]'
    >>> error_array()(Response(status=422, headers={}, body=body)).provider_message
    'BAD: no date; BAD: no name'
    """

    place = Path.parse(path)

    def opinion(response: Response) -> Verdict | None:
        if response.status < 300 and not path:
            return None
        errors = place.find_in(response.body)
        if not isinstance(errors, list) or not errors:
            return None
        found = [error for error in errors if isinstance(error, dict)]
        codes = [str(error.get(code) or "") for error in found]
        texts = [
            ": ".join(filter(None, (str(error.get(code) or ""), str(error.get(message) or "")))) for error in found
        ]
        decisive = next((one for one in codes if one in renew or one in retry), "")
        return _told(response, decisive, "; ".join(texts), renew, retry) if found else None

    return opinion


def _told(response: Response, code: Any, text: str, renew: Collection[Any], retry: Collection[Any]) -> Verdict:
    message = text[:_LONGEST] or str(code)[:_LONGEST] or None
    if code in renew:
        return Verdict(action=Action.RENEW, reason="the provider refused the access token", provider_message=message)
    if code in retry:
        return Verdict(
            action=Action.RETRY,
            reason="the provider asks to try again later",
            retry_after=retry_after(response),
            provider_message=message,
        )
    # No code decided, so the status decides: a 401, for example, still means that the token was refused.
    verdict = judge_by_status(response)
    if verdict.action is Action.ACCEPT:
        verdict = Verdict(action=Action.FAIL, reason="the provider answered with an error")
    return replace(verdict, provider_message=message)


def auth_error(is_auth_error: Callable[[Response], bool]) -> Opinion:
    """RENEW if the predicate is true: for providers that answer an expired token with 403, or with 200 and an error.

    >>> from connectory.model import Response
    >>> expired = auth_error(lambda response: response.status == 403 and b"expired" in response.body)
    >>> expired(Response(status=403, headers={}, body=b"token expired")).action.name
    'RENEW'
    """

    def opinion(response: Response) -> Verdict | None:
        if not is_auth_error(response):
            return None
        return Verdict(action=Action.RENEW, reason="the provider refused the access token")

    return opinion


def quota(codes: Iterable[int] = (429,), *, reason: str = "the provider's limit of requests is reached") -> Opinion:
    """RETRY for these statuses, after the time that `Retry-After` or `X-RateLimit-Reset` names.

    >>> from connectory.model import Response
    >>> date = {"Date": "Wed, 01 May 2024 10:00:00 GMT", "Retry-After": "Wed, 01 May 2024 10:00:30 GMT"}
    >>> quota((403, 429))(Response(status=403, headers=date, body=b"")).retry_after
    30.0
    """
    known = frozenset(codes)

    def opinion(response: Response) -> Verdict | None:
        if response.status not in known:
            return None
        wait = retry_after(response)
        return Verdict(
            action=Action.RETRY,
            reason=f"{reason} ({response.status})",
            retry_after=seconds_to_reset(response) if wait is None else wait,
        )

    return opinion
