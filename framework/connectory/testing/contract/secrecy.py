"""Checks: secrets are never printed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from ...errors import ConnectoryError
from ...secrets import MASK, Secret
from .base import ContractBase
from .failing import demand
from .gateway import dropped, login_page

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    from .world import World

_LEAST = 6


class Secrecy(ContractBase):
    def test_secrets_are_not_logged(self, world: World) -> None:
        resource = self.names()[0]
        with _Listener() as heard:
            world.watch(resource)
            world.create(resource)
            world.poll()
            world.gateway.script(world.error(401), world.error(500), login_page())
            for _ in range(3):
                world.try_to_poll(after=7200)
        secrets = secrets_of(world)
        for line in heard.lines:
            demand(
                not any(secret in line for secret in secrets),
                f"a secret is written to the log: {_masked(line, secrets)}",
                "do not log headers, tokens or configuration values; a Secret prints as asterisks",
            )

    def test_secrets_are_not_in_reprs(self, world: World) -> None:
        auth = world.client.auth
        shown = {
            "the auth": repr(auth),
            "the auth as text": str(auth),
            "the client": repr(world.client),
            "the configuration": repr(dict(world.runtime.config)),
            "the instance": repr(world.app.instances.get(world.instance)),
            "the element": repr(world.element),
            "the resources": repr(world.resources),
        }
        secrets = secrets_of(world)
        for what, text in shown.items():
            demand(
                not any(secret in text for secret in secrets),
                f"a secret is in the repr of {what}: {_masked(text, secrets)}",
                "keep secrets as Secret, mark their fields (SecretField), and keep them out of __repr__",
            )

    def test_secrets_are_not_in_errors(self, world: World) -> None:
        resource = self.names()[0]
        troubles = [(world.error(400),), (world.error(403), world.error(403)), (world.error(500),), (dropped,)]
        secrets: set[str] = set()
        for trouble in troubles:
            found = world.ask(resource, *trouble)
            secrets |= secrets_of(world)
            text = _texts_of(found) if isinstance(found, ConnectoryError) else ""
            demand(
                not any(secret in text for secret in secrets),
                f"a secret is in an error message: {_masked(text, secrets)}",
                "build the messages of the judge from the answer, not from the request",
            )

    def test_secrets_are_not_in_events(self, world: World) -> None:
        resource = self.names()[0]
        world.watch(resource)
        world.create(resource)
        world.poll()
        secrets = secrets_of(world)
        demand(
            not any(secret in repr(world.told()) for secret in secrets),
            f"a secret stands in the events of {resource}",
            "let the element not ask for fields that hold logins",
        )

    def test_secrets_are_not_stored_in_clear(self, world: World) -> None:
        row = world.app.instances.get(world.instance)
        stored = repr(row.configuration)
        demand(
            not any(secret in stored for secret in secrets_of(world)),
            f"a secret is stored in clear: {_masked(stored, secrets_of(world))}",
            "make its field a SecretField",
        )


def secrets_of(world: World) -> set[str]:
    """The secret values: those of secret fields, and every token that the provider issued."""
    found = {value.reveal() for value in world.config.values() if isinstance(value, Secret)}
    for field in world.element.config_schema().fields.values():
        value = world.configuration().get(str(field.data_key))
        if field.metadata.get("secret") and isinstance(value, str):
            found.add(value)
    for exchange in world.gateway.renewals:
        found |= set(_tokens(exchange.body))
    return {secret for secret in found if len(secret) >= _LEAST}


def _tokens(body: bytes) -> Iterable[str]:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return
    if isinstance(answer, dict):
        yield from (answer[name] for name in ("access_token", "refresh_token") if isinstance(answer.get(name), str))


def _masked(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text[:300]


def _texts_of(error: ConnectoryError) -> str:
    parts: list[Any] = [error, repr(error), getattr(error, "provider_message", None)]
    cause = error.__cause__
    while cause is not None:
        parts += [cause, repr(cause)]
        cause = cause.__cause__
    return " ".join(str(part) for part in parts)


class _Listener(logging.Handler):
    """Collects all log lines, down to DEBUG."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level, self._factory = root.level, logging.getLogRecordFactory()
        root.setLevel(logging.DEBUG)
        # It comes first and sees lines as the plugin wrote them, before Connectory removes secrets from them.
        root.handlers.insert(0, self)
        logging.setLogRecordFactory(logging.LogRecord)
        return self

    def __exit__(self, *_error: object) -> None:
        logging.getLogger().removeHandler(self)
        logging.getLogger().setLevel(self._level)
        logging.setLogRecordFactory(self._factory)
