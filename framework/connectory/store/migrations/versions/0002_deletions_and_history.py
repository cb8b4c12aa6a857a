"""Deletions, the objects that sweeps know, the last versions of objects, and the names of changed fields."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("changed", sa.JSON(), nullable=True))
    op.create_table(
        "deletions",
        *_owner("deletions"),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("next_due_at", sa.BigInteger(), nullable=False),
        sa.Column("sweep", sa.Integer(), server_default="0", nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("alarm", sa.Text(), nullable=True),
        sa.Column("allowed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "resource", name=op.f("pk_deletions")),
    )
    op.create_table(
        "objects",
        *_owner("objects"),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("sweep", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "resource", "object_id", name=op.f("pk_objects")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tombstones",
        *_owner("tombstones"),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "resource", "entry", name=op.f("pk_tombstones")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "snapshots",
        *_owner("snapshots"),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "resource", "object_id", name=op.f("pk_snapshots")),
    )
    op.create_index("ix_snapshots_pruning", "snapshots", ["instance_id", "resource", "changed_at"], unique=False)


def _owner(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    """The instance and the resource that a row belongs to."""
    return (
        sa.Column("instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resource", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instances.id"], name=op.f(f"fk_{table}_instance_id"), ondelete="CASCADE"
        ),
    )
