"""The sandbox as `connect` opens it."""

from __future__ import annotations

from .sandbox import Sandbox, create_sandbox

__all__ = ["Playground", "open_playground"]

Playground = Sandbox


def open_playground() -> Playground:
    """A seeded instance, in which `integration` allows the access."""
    return create_sandbox()
