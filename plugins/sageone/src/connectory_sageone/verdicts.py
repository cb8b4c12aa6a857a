"""Judges the answers of Sage. Errors are an array of `{$severity, $dataCode, $message, $source}`, one per mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from connectory.model import Action, Verdict
from connectory.verdicts import judges, page_instead_of_json, quota

if TYPE_CHECKING:
    from connectory.model import Response

_FINAL = {
    400: ("Sage does not understand the request", None),
    403: ("the user may not see this in Sage", "give the user's role access to it, or log in as a user who has it"),
    404: ("Sage has no such record or URL", None),
    405: ("Sage does not support this for such records", None),
    415: ("Sage accepts only JSON", None),
    422: ("Sage refused the record", "the message names the fields"),
}


def said(response: Response) -> str:
    """The messages of an error, each with the field that it is about."""
    return "; ".join(_text(error) for error in errors(response.body))[:300]


def errors(body: bytes) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return []
    if isinstance(found, dict):
        found = found.get("$diagnoses")
    return [error for error in found if isinstance(error, dict)] if isinstance(found, list) else []


def _text(error: dict[str, Any]) -> str:
    named = (error.get(name) for name in ("$dataCode", "$source", "$message"))
    return ": ".join(str(part) for part in named if part)


def _no_subscription(response: Response) -> Verdict | None:
    """A 401 that is not about the token: a new token is refused as well, and each renewal uses up a refresh token."""
    if response.status != 401 or "no active subscription" not in said(response).lower():
        return None
    return Verdict(
        action=Action.FAIL,
        reason="the business has no active Sage subscription",
        hint="its owner must renew the subscription; polling then continues by itself",
    )


def _unauthorized(response: Response) -> Verdict | None:
    if response.status != 401:
        return None
    return Verdict(action=Action.RENEW, reason="Sage refused the access token", hint="a person must log in again")


def _too_heavy(response: Response) -> Verdict | None:
    """Sage sometimes times out on large pages of whole records."""
    if response.status not in {500, 502, 504} or not _asks_for_whole_records(response.url):
        return None
    return Verdict(
        action=Action.SHRINK,
        reason=f"Sage gave up on a page of whole records ({response.status})",
        hint="it is asked for again in smaller pages; attributes by name are quicker for Sage than all of them",
    )


def _asks_for_whole_records(url: str) -> bool:
    asked = parse_qs(urlsplit(url).query)
    return "items_per_page" in asked and ("all" in asked.get("attributes", []) or "nested_attributes" in asked)


def _final(response: Response) -> Verdict | None:
    if response.status not in _FINAL:
        return None
    reason, hint = _FINAL[response.status]
    return Verdict(action=Action.FAIL, reason=reason, hint=hint)


judge = judges(
    page_instead_of_json(),
    _no_subscription,
    _unauthorized,
    quota(reason="Sage's limit of requests is reached"),
    _too_heavy,
    _final,
    message=said,
)
