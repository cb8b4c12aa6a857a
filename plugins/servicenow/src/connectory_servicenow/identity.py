"""The user who is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from connectory.errors import RetryLaterError
from connectory.model import Request

from .resources import API

if TYPE_CHECKING:
    from connectory.model import Sender

# Two rows, to notice an instance that ignores the condition and shows any user.
_OWN_ROW = Request(
    path=f"{API}/sys_user",
    params=(
        ("sysparm_query", "sys_id=javascript:gs.getUserID()"),
        ("sysparm_fields", "user_name"),
        ("sysparm_limit", "2"),
        ("sysparm_no_count", "true"),
    ),
)


class _User(msgspec.Struct):
    user_name: str = ""


class _Users(msgspec.Struct):
    result: list[_User]


def account(sender: Sender) -> str:
    """The login name of the user; empty if they may not read their own row."""
    try:
        users = msgspec.json.decode(sender.send(_OWN_ROW).body, type=_Users).result
    except msgspec.DecodeError as error:
        raise RetryLaterError(f"ServiceNow does not say who is logged in: {error}") from error
    return users[0].user_name if len(users) == 1 else ""
