"""Judges the answers of ServiceNow. It does no I/O, and is quick for a good page, which it does not parse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import msgspec

from connectory.model import ACCEPT, Action, Verdict, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectory.model import Response

_WAKE = "wake it at https://developer.servicenow.com; polling continues by itself"
_NOTHING_LOST = "the page is asked for again in smaller pieces; nothing is lost"

_LIST_HEAD = re.compile(rb'\s*\{\s*"result"\s*:\s*\[')
_LIST_TAIL = re.compile(rb"\]\s*\}\s*\Z")
_LIST_PATH = re.compile(r"/table/[^/]+/?")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HIDDEN_ROWS = re.compile(r"constrained by ACL", re.IGNORECASE)
_CANCELLED = re.compile(r"transaction cancel|maximum execution time", re.IGNORECASE)


class _Body(msgspec.Struct):
    """Parses the envelope of an answer and leaves the records as bytes."""

    error: msgspec.Raw = msgspec.Raw(b"null")
    status: Any = None

    @property
    def is_failure(self) -> bool:
        return bytes(self.error) != b"null" or self.status == "failure"


def judge(response: Response) -> Verdict:
    status = response.status
    if 300 <= status < 400:
        return _redirect(response)
    if status == 202:
        return _retry(response, "ServiceNow dropped this call because too many calls of its session were waiting")
    if status < 300:
        return _success(response)
    error = _error(response)
    if _CANCELLED.search(error):
        return _cancelled(error)
    return _JUDGES.get(status, _other)(response, error)


# Good statuses


def _success(response: Response) -> Verdict:
    if response.status == 204:
        return ACCEPT
    if response.content_type in {"text/html", "application/xhtml+xml"}:
        return _page(response)
    if not response.content_type.endswith("json"):
        kind = response.content_type or "a body without a content type"
        return _retry(response, f"ServiceNow's address answered with {kind} instead of JSON")
    if _looks_whole(response.body):
        return ACCEPT
    return _closer(response)


def _looks_whole(body: bytes) -> bool:
    """Check the end of a list: it shows whether the list was cut, and holds an error that came after the records."""
    return _LIST_HEAD.match(body[:64]) is not None and _LIST_TAIL.search(body[-64:]) is not None


def _closer(response: Response) -> Verdict:
    try:
        body = msgspec.json.decode(response.body, type=_Body)
    except msgspec.DecodeError as error:
        return Verdict(action=Action.SHRINK, reason=f"ServiceNow's answer is incomplete: {error}", hint=_NOTHING_LOST)
    return _cancelled(_error(response)) if body.is_failure else ACCEPT


def _cancelled(error: str) -> Verdict:
    return Verdict(
        action=Action.SHRINK,
        reason="ServiceNow stopped in the middle of the page, which took longer than its time quota allows",
        hint=_NOTHING_LOST,
        provider_message=error or None,
    )


def _page(response: Response) -> Verdict:
    text = response.body[:20_000].decode("utf-8", "replace").lower()
    if "hibernat" in text:
        return _retry(response, "the ServiceNow instance is asleep", _WAKE)
    if "user_password" in text or "sysverb_login" in text:
        hint = "check in a browser whether its REST API is behind a single sign-on or a maintenance page"
        return _retry(response, "ServiceNow shows its login page instead of an answer of its API", hint)
    return _retry(
        response, "ServiceNow shows a web page instead of an answer of its API", "open the instance in a browser"
    )


def _redirect(response: Response) -> Verdict:
    target = urlsplit(urljoin(response.url, response.headers.get("Location", "")))
    if target.hostname and target.hostname != urlsplit(response.url).hostname:
        return _retry(
            response, f"the ServiceNow instance is asleep or has moved: it redirects to {target.hostname}", _WAKE
        )
    return _retry(response, f"ServiceNow redirects to another page, {target.path or 'unnamed'}", "open it in a browser")


# Refusals


def _unauthorized(response: Response, error: str) -> Verdict:
    if "X-MFA_TOKEN" in response.headers:
        hint = "exempt the integration user from multi-factor authentication"
        return _fail("ServiceNow asks the integration user for a second factor", hint, error)
    return Verdict(
        action=Action.RENEW,
        reason="ServiceNow refused the access token",
        hint="if a new token is refused too, check that the user is active and no REST access policy blocks the API",
        provider_message=error or None,
    )


def _forbidden(response: Response, error: str) -> Verdict:
    if _HIDDEN_ROWS.search(error):
        reason = "all rows of the page are hidden from the integration user"
        return Verdict(action=Action.EMPTY, reason=reason, provider_message=error)
    if "api access scope" in error.lower():
        hint = (
            "give the OAuth registry entry the scope useraccount, or one that covers the Table API; then log in again"
        )
        return _fail("the login's scope does not cover the API", hint, error)
    if error.startswith("Operation Failed"):
        return _fail("ServiceNow refused to write the record", "an access rule or a business rule forbids it", error)
    return _fail(
        f"the integration user may not read {_table(response)}", "give it a role with read access, such as itil", error
    )


def _not_found(response: Response, error: str) -> Verdict:
    if not error:
        return _fail("ServiceNow has no such URL", "check that servicenow.subdomain names the right instance", "")
    if _is_list(response):
        return Verdict(action=Action.EMPTY, reason="the list is empty", provider_message=error)
    return _fail("the record does not exist, or is hidden from the integration user", None, error)


def _bad_request(response: Response, error: str) -> Verdict:
    if error.startswith("Invalid table"):
        hint = "customer_account and customer_contact need the Customer Service Management plugin"
        return _fail(f"the instance has no table {_table(response)}", hint, error)
    if "pagination not supported" in error.lower():
        return _too_long(response, error)
    if "does not represent any resource" in error:
        return _fail("the instance has no such API", "check that servicenow.subdomain names the right instance", error)
    return _fail("ServiceNow does not understand the request", None, error)


def _too_long(response: Response, error: str) -> Verdict:
    return _fail("the query is too long for ServiceNow", "use fewer conditions and shorter lists in `where`", error)


# Not now


def _too_many(response: Response, error: str) -> Verdict:
    if "X-RateLimit-Limit" in response.headers or "Retry-After" in response.headers:
        limit = response.headers.get("X-RateLimit-Limit")
        reason = f"the hourly limit of {limit} requests is used up" if limit else "the hourly limit is used up"
        hint = "poll less often, or raise the rate limit rule of the integration user"
        return _retry(response, reason, hint, wait=_seconds_to_wait(response))
    return _retry(response, "ServiceNow is busy: all its slots for API calls are taken", "poll fewer resources at once")


def _seconds_to_wait(response: Response) -> float | None:
    seconds = retry_after(response)
    reset = response.headers.get("X-RateLimit-Reset", "")
    if seconds is None and reset.isdigit() and response.date is not None:
        seconds = max(0.0, int(reset) - response.date.timestamp())
    return seconds


def _other(response: Response, error: str) -> Verdict:
    if response.status >= 499 or response.status == 408:
        return _retry(response, f"ServiceNow cannot answer now ({response.status})", wait=retry_after(response))
    return _fail(f"ServiceNow refused the request ({response.status})", None, error)


_JUDGES: dict[int, Callable[[Response, str], Verdict]] = {
    400: _bad_request,
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    414: _too_long,
    429: _too_many,
}


# Parts


def _retry(response: Response, reason: str, hint: str | None = None, wait: float | None = None) -> Verdict:
    message = _error(response) or None
    return Verdict(action=Action.RETRY, reason=reason, hint=hint, retry_after=wait, provider_message=message)


def _fail(reason: str, hint: str | None, error: str) -> Verdict:
    return Verdict(action=Action.FAIL, reason=reason, hint=hint, provider_message=error or None)


def _error(response: Response) -> str:
    """The error message of the answer: its message and detail, or the title of a page."""
    if response.content_type.endswith("json"):
        return _json_error(response.body)
    match = _TITLE.search(response.body[:4_000].decode("utf-8", "replace"))
    return " ".join(match[1].split())[:300] if match else ""


def _json_error(body: bytes) -> str:
    try:
        error = msgspec.json.decode(msgspec.json.decode(body, type=_Body).error)
    except msgspec.DecodeError:
        return ""
    if not isinstance(error, dict):
        return str(error or "")[:300]
    texts = (str(error[name]) for name in ("message", "detail") if error.get(name))
    return ": ".join(texts)[:300]


def _is_list(response: Response) -> bool:
    """Whether the request was for a list of a table, not for one record."""
    return _LIST_PATH.fullmatch(_behind_version(response)) is not None


def _table(response: Response) -> str:
    parts = _behind_version(response).split("/")
    return parts[2] if parts[1:2] == ["table"] and len(parts) > 2 else "it"


def _behind_version(response: Response) -> str:
    return re.sub(r"\A/api/now(?:/v[0-9]+)?", "", urlsplit(response.url).path)
