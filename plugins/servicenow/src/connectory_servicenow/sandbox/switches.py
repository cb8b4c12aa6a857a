"""The settings of the fake instance: all behaviour that differs between releases and configurations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connectory import sandbox as base

Hibernate = Literal["", "page", "redirect"]
Shuffle = Literal["off", "seed", "page"]
CancelStyle = Literal["tail", "stray", "cut"]
LiteralZone = Literal["utc", "user"]
TLiterals = Literal["ignored", "accepted"]
HiddenAs = Literal["absent", "empty"]


@dataclass(frozen=True, kw_only=True)
class OAuthSwitches(base.OAuthSwitches):
    grants: tuple[str, ...] = ("authorization_code", "refresh_token", "password")
    pkce: base.Pkce = "off"
    state_required: bool = True
    scope: str = "useraccount"
    access_ttl: float = 1800
    refresh_ttl: float | None = 8_640_000
    same_token_while_live: bool = True
    rotate_refresh: bool = False
    api_scope_missing: bool = False
    mfa_required: bool = False


@dataclass(frozen=True, kw_only=True)
class AclSwitches:
    """Read rights; tables are keys, and a row is hidden when its query matches or its share is drawn."""

    hidden_rows: Mapping[str, str] = field(default_factory=dict)
    hidden_share: Mapping[str, float] = field(default_factory=dict)
    hidden_as: HiddenAs = "absent"
    dropped_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forbidden_tables: tuple[str, ...] = ()
    forbidden_when_all_hidden: bool = False
    range_refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields whose comparisons and sorting are ignored in a query, for lack of the right `query_range`."""
    before_query: Mapping[str, str] = field(default_factory=dict)
    """Conditions that a business rule adds to every list of a table."""


@dataclass(frozen=True, kw_only=True)
class AuditSwitches:
    delay: float = 0
    sys_tables: tuple[str, ...] = ()
    """The `sys_*` tables whose deletes are logged; none by default, not even users."""
    ignored_tables: tuple[str, ...] = ()
    retention: float | None = None


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    limit: int = 1000
    rule: str = "5bd8e2f0c0a80164010a3f0e2b1d9c77"


@dataclass(frozen=True, kw_only=True)
class Switches(base.Switches):
    oauth: OAuthSwitches = OAuthSwitches()
    acl: AclSwitches = AclSwitches()
    audit: AuditSwitches = AuditSwitches()
    returns_no_rows: bool = False
    cancel_after: int | None = None
    cancel_style: CancelStyle = "tail"
    hibernate: Hibernate = ""
    login_html: bool = False
    bad_gateway: bool = False
    rate_limit: RateLimit | None = field(default=None, metadata={"group": RateLimit})
    semaphore: int | None = None
    """The number of calls that may run at once; others are refused with a 429 without headers."""
    instance_zone: str = "America/Los_Angeles"
    user_zone: str = ""
    """Replaces the time zone of the user."""
    literal_zone: LiteralZone = "utc"
    t_literals: TLiterals = "ignored"
    shuffle: Shuffle = "seed"
    """Order of rows that a query leaves open: insertion, one fixed shuffle, or another one for every page."""
    touch_own_user: bool = False
    slow: float = 0
    drop_connection: bool = False
    prev_on_first_page: bool = False
    link_base: str = ""
    """The URL that the instance uses for itself; by default the one that it was called by."""
    longest_link: int = 10_500
    longest_url: int = 16_384

    def __post_init__(self) -> None:
        for name, allowed in _WORDS.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(repr(word) for word in allowed)}")


_WORDS: dict[str, tuple[str, ...]] = {
    "cancel_style": ("tail", "stray", "cut"),
    "hibernate": ("", "page", "redirect"),
    "literal_zone": ("utc", "user"),
    "t_literals": ("ignored", "accepted"),
    "shuffle": ("off", "seed", "page"),
}
