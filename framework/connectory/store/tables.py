"""The tables. SQLite and PostgreSQL get the same ones; a change here needs a migration."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import false as sql_false

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only when the primary key is an INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


def _instance_id(*, primary_key: bool = False) -> Column[int]:
    owner = ForeignKey("instances.id", ondelete="CASCADE")
    return Column("instance_id", BigId, owner, nullable=False, primary_key=primary_key)


instances = Table(
    "instances",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("element_key", String(128), nullable=False),
    Column("name", String(255), nullable=False),
    Column("tags", JSON, nullable=False),
    # By flat, dotted keys. Secret values are in `secrets`.
    Column("configuration", JSON, nullable=False),
    # active | paused | needs_reauth
    Column("state", String(32), nullable=False),
    Column("state_reason", Text),
    Column("external_authentication", String(32), nullable=False),
    # Goes up with each change, so that running processes notice it.
    Column("version", Integer, nullable=False),
    # The provider's clock minus ours, from its last `Date` header.
    Column("clock_offset", BigInteger, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

secrets = Table(
    "secrets",
    metadata,
    _instance_id(primary_key=True),
    Column("name", String(255), primary_key=True),
    # v1.<key id>.<nonce>.<ciphertext>; the row is the associated data.
    Column("value", Text, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    _instance_id(primary_key=True),
    # Goes up with each renewal. A renewal of an older version is not stored.
    Column("version", Integer, nullable=False),
    Column("access_token", Text),
    Column("refresh_token", Text),
    Column("token_type", String(64), nullable=False),
    Column("scope", Text),
    Column("expires_at", BigInteger),
    # Other fields of the provider's reply.
    Column("extra", JSON, nullable=False),
    # Whose login it is, as `Element.account` named it; NULL when the provider did not say.
    Column("account", Text),
    Column("renewed_at", BigInteger, nullable=False),
    Column("lease_owner", String(255)),
    Column("lease_until", BigInteger),
    Column("lease_epoch", Integer, nullable=False, server_default="0"),
    Column("failed_at", BigInteger),
    Column("failure", Text),
)

polls = Table(
    "polls",
    metadata,
    _instance_id(primary_key=True),
    Column("resource", String(255), primary_key=True),
    # False when the resource is not configured any more. The state of the instance is in `instances`.
    Column("active", Boolean, nullable=False),
    Column("interval", BigInteger, nullable=False),
    # Everything up to this moment was announced.
    Column("since", BigInteger, nullable=False),
    # `seen` knows every record since this moment, so no window starts earlier.
    Column("seen_from", BigInteger, nullable=False),
    Column("next_due_at", BigInteger, nullable=False),
    Column("lease_owner", String(255)),
    Column("lease_until", BigInteger),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failure", Text),
    Column("failed_at", BigInteger),
    Column("polled_at", BigInteger),
    # Counts of the last poll that ended well.
    Column("summary", JSON),
    # How many polls in a row have announced nothing.
    Column("quiet", Integer, nullable=False, server_default="0"),
    Index("ix_polls_due", "next_due_at"),
)

seen = Table(
    "seen",
    metadata,
    _instance_id(primary_key=True),
    Column("resource", String(255), primary_key=True),
    Column("object_id", String(255), primary_key=True),
    Column("version", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    # When the record was updated; NULL when it has no readable date.
    Column("updated", BigInteger),
    Index("ix_seen_pruning", "instance_id", "resource", "updated"),
    sqlite_with_rowid=False,
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    _instance_id(),
    Column("resource", String(255), nullable=False),
    # Every attempt sends exactly these bytes.
    Column("body", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_notifications_instance", "instance_id", "id"),
)

events = Table(
    "events",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    _instance_id(),
    Column("resource", String(255), nullable=False),
    Column("object_id", String(255), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("type", String(16), nullable=False),
    Column("date", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("notification_id", BigId, ForeignKey("notifications.id", ondelete="CASCADE"), nullable=False),
    # The index of the event in its notification, whose body has the record.
    Column("position", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The names of the changed fields, if changes are tracked.
    Column("changed", JSON),
    UniqueConstraint("instance_id", "resource", "object_id", "sequence"),
    Index("ix_events_notification", "notification_id"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    _instance_id(),
    Column("url", Text, nullable=False),
    # active | deactivated
    Column("state", String(32), nullable=False),
    Column("state_reason", Text),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_subscriptions_instance", "instance_id"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("subscription_id", BigId, ForeignKey("subscriptions.id", ondelete="CASCADE"), primary_key=True),
    Column("lane", Integer, primary_key=True),
    # When the oldest waiting notification may be sent; NULL when none waits.
    Column("due_at", BigInteger),
    Column("lease_owner", String(255)),
    Column("lease_until", BigInteger),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Index("ix_lanes_due", "due_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("notification_id", BigId, ForeignKey("notifications.id", ondelete="CASCADE"), nullable=False),
    Column("subscription_id", BigId, ForeignKey("subscriptions.id", ondelete="CASCADE"), nullable=False),
    Column("lane", Integer, nullable=False),
    # created | retry | queued | delivered: the words of Cloud Elements
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", BigInteger),
    Column("first_attempt_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_deliveries_lane", "subscription_id", "lane", "status", "id"),
    Index("ix_deliveries_notification", "notification_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("delivery_id", BigId, ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    # Milliseconds.
    Column("duration", Integer, nullable=False),
    # The receiver's HTTP status; NULL when it did not answer.
    Column("status", Integer),
    Column("error", Text),
    # The first bytes of the answer.
    Column("response", LargeBinary),
    Index("ix_attempts_delivery", "delivery_id", "number"),
)

# Numbers that are handed out in blocks, because a row's id must be known before the row is written.
counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

# The tables from here to `snapshots` are used only for resources that track deletions or changes.

deletions = Table(
    "deletions",
    metadata,
    _instance_id(primary_key=True),
    Column("resource", String(255), primary_key=True),
    # Objects that were deleted before this moment are not announced.
    Column("started", BigInteger, nullable=False),
    # The provider's log of deletions was read up to this moment.
    Column("since", BigInteger, nullable=False),
    Column("next_due_at", BigInteger, nullable=False),
    # The number of the last sweep that began.
    Column("sweep", Integer, nullable=False, server_default="0"),
    # When a log was last read to its end, or a list swept completely.
    Column("completed_at", BigInteger),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failure", Text),
    # Why a sweep announces nothing: more objects are missing than may be deleted at once.
    Column("alarm", Text),
    # A person has accepted the alarm: the missing objects may be announced.
    Column("allowed", Boolean, nullable=False, server_default=sql_false()),
)

# The objects that the provider is known to have. Those that a sweep does not list count as missed.
objects = Table(
    "objects",
    metadata,
    _instance_id(primary_key=True),
    Column("resource", String(255), primary_key=True),
    Column("object_id", String(255), primary_key=True),
    # The last sweep that listed the object; 0 when none has.
    Column("sweep", Integer, nullable=False),
    # How many complete sweeps in a row have not listed the object.
    Column("missed", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The handled entries of a log of deletions. They are kept for as long as the log may be read again.
tombstones = Table(
    "tombstones",
    metadata,
    _instance_id(primary_key=True),
    Column("resource", String(255), primary_key=True),
    Column("entry", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

snapshots = Table(
    "snapshots",
    metadata,
    _instance_id(primary_key=True),
    Column("resource", String(255), primary_key=True),
    Column("object_id", String(255), primary_key=True),
    # The last announced record, as compressed JSON.
    Column("content", LargeBinary, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("ix_snapshots_pruning", "instance_id", "resource", "changed_at"),
)

# What a provider allows one account, shared by all instances and processes.
budgets = Table(
    "budgets",
    metadata,
    Column("account", String(255), primary_key=True),
    # Do not call the provider before this moment; 0 means no pause.
    Column("parked_until", BigInteger, nullable=False),
    Column("reason", Text),
    # How many times in a row the provider has refused.
    Column("failures", Integer, nullable=False),
    # For each limit: how many requests are left, and when they were counted.
    Column("buckets", JSON, nullable=False),
    # The running polls, and until when each counts as running.
    Column("holders", JSON, nullable=False),
)
