"""Signs notifications and verifies them: the header of Cloud Elements, and the three headers of Standard Webhooks.

A signature key is any text, and signs with its UTF-8 bytes. Libraries for Standard Webhooks take a key in base64, so a
receiver that uses one passes `"whsec_" + base64(key bytes)`, which `standard_secret` makes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOLERANCE = timedelta(seconds=300)

ELEMENTS_ID = "Elements-Webhook-Id"
ELEMENTS_SIGNATURE = "Elements-Webhook-Signature"
STANDARD_ID = "webhook-id"
STANDARD_TIMESTAMP = "webhook-timestamp"
STANDARD_SIGNATURE = "webhook-signature"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """The result of the checks. `reason` says which check failed; it is empty if none did."""

    verified: bool
    reason: str = ""


def elements_signature(key: bytes, body: bytes) -> str:
    return f"sha256={_digest(key, body)}"


def standard_signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    return f"v1,{_digest(key, b'%b.%d.%b' % (message_id.encode(), timestamp, body))}"


def standard_secret(key: bytes) -> str:
    """The key in the form that libraries for Standard Webhooks take."""
    return f"whsec_{base64.b64encode(key).decode()}"


def headers_for(keys: Sequence[bytes], notification_id: int | str, timestamp: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt. `keys` are newest first; without a key the attempt is not signed.

    The Standard Webhooks header carries one signature per key, so that a receiver can change its key while two are
    valid. The header of Cloud Elements holds only one signature: that of the newest key.
    """
    seconds, message_id = int(timestamp.timestamp()), str(notification_id)
    headers = {ELEMENTS_ID: message_id, STANDARD_ID: message_id, STANDARD_TIMESTAMP: str(seconds)}
    if keys:
        headers[ELEMENTS_SIGNATURE] = elements_signature(keys[0], body)
        headers[STANDARD_SIGNATURE] = " ".join(standard_signature(key, message_id, seconds, body) for key in keys)
    return headers


def verify(
    headers: Mapping[str, str],
    body: bytes,
    keys: Sequence[bytes],
    now: datetime,
    tolerance: timedelta = TOLERANCE,
) -> Verification:
    """Check both signatures, both ids, and the age of a notification, with every key that the receiver accepts."""
    if not keys:
        return Verification(verified=False, reason="there is no signature key to check with")
    given = {name.lower(): value for name, value in headers.items()}
    reason = next(_failures(given, body, keys, now, tolerance), "")
    return Verification(verified=not reason, reason=reason)


def _failures(
    given: Mapping[str, str], body: bytes, keys: Sequence[bytes], now: datetime, tolerance: timedelta
) -> Iterator[str]:
    names = (ELEMENTS_ID, ELEMENTS_SIGNATURE, STANDARD_ID, STANDARD_TIMESTAMP, STANDARD_SIGNATURE)
    yield from (f"the header {name} is missing" for name in names if not given.get(name.lower()))
    message_id, stamp = given[STANDARD_ID], given[STANDARD_TIMESTAMP]
    if given[ELEMENTS_ID.lower()] != message_id:
        yield f"{ELEMENTS_ID} and {STANDARD_ID} differ"
    # `isdigit` alone would accept digits of other scripts, and numbers of any length.
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        yield f"{STANDARD_TIMESTAMP} is not a number of seconds"
    age = now.astimezone(UTC).timestamp() - int(stamp)
    if abs(age) > tolerance.total_seconds():
        yield f"{STANDARD_TIMESTAMP} is {abs(age):.0f} s {'old' if age > 0 else 'ahead'}: a replay, or a wrong clock"
    if not _any_equal([elements_signature(key, body) for key in keys], [given[ELEMENTS_SIGNATURE.lower()]]):
        yield f"{ELEMENTS_SIGNATURE} does not match: the key or the body is another one"
    expected = [standard_signature(key, message_id, int(stamp), body) for key in keys]
    if not _any_equal(expected, given[STANDARD_SIGNATURE].split()):
        yield f"{STANDARD_SIGNATURE} does not match: the key, body, id or timestamp is another one"


def _any_equal(expected: Sequence[str], given: Sequence[str]) -> bool:
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in given)


def _digest(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key, message, hashlib.sha256)).decode()
