"""Finds the instance that a command names and brings it up to date, or creates it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .body import SANDBOX, body_of
from .consent import asker
from .output import note

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..app import App, AuthorizationFlow, Draft, Instance
    from ..auth import Token
    from ..sandbox.protocol import ProviderSandbox
    from .body import InstanceOptions
    from .stopping import Stop


def find_or_create(app: App, options: InstanceOptions, stop: Stop, fake: ProviderSandbox | None = None) -> Instance:
    return _Search(app, options, stop, fake).find_or_create()


@dataclass(frozen=True, slots=True)
class _Search:
    app: App
    options: InstanceOptions
    stop: Stop
    fake: ProviderSandbox | None

    def find_or_create(self) -> Instance:
        body = body_of(self.options, self.app.elements)
        name = str(body.get("name") or self.options.element)
        found = self.app.instances.find(element=self.options.element, name=name)
        return self._reuse(found[0], body) if found else self._create(body)

    def _create(self, body: dict[str, Any]) -> Instance:
        draft = self.app.instances.prepare(body)
        token = self.app.instances.log_in(draft, self._asker(draft))
        made = self.app.instances.establish(draft, token)
        note(f"Created instance {made.id} ({made.name}).")
        return made

    def _reuse(self, instance: Instance, body: dict[str, Any]) -> Instance:
        self._refuse_the_provider(instance)
        refuse_paused(instance)
        changes = ""
        if self.options.configures:
            instance = self.app.instances.update(
                instance.id, configuration=body["configuration"], tags=body.get("tags")
            )
            changes = ", with the changes you asked for; its cursors do not move"
        note(f"Using instance {instance.id} ({instance.name}){changes}.")
        return instance if self._is_logged_in(instance) else self._log_in(instance)

    def _refuse_the_provider(self, instance: Instance) -> None:
        """A run with a sandbox must not change an instance of the real provider."""
        from ..errors import ConfigurationError

        if self.options.sandboxed and SANDBOX not in instance.tags:
            raise ConfigurationError(
                f"instance {instance.id} ({instance.name}) belongs to the real provider, not to a sandbox",
                where="--name",
                hint="choose another name for the sandbox's instance",
            )

    def _is_logged_in(self, instance: Instance) -> bool:
        """A new sandbox knows no earlier token, and a new code is meant to replace the token."""
        return instance.valid and not self.options.code and not self.options.sandboxed

    def _log_in(self, instance: Instance) -> Instance:
        draft = self.app.instances.draft_of(instance.id, code=self.options.code)
        token = self.app.instances.log_in(draft, self._asker(draft))
        return instance if token is None else self.app.instances.reauthenticate(instance.id, token)

    def _asker(self, draft: Draft) -> Callable[[AuthorizationFlow], Token]:
        return asker(draft, self.stop, browser=self.options.browser, fake=self.fake)


def refuse_paused(instance: Instance) -> None:
    from ..errors import ConflictError

    if instance.disabled:
        raise ConflictError(
            f"instance {instance.id} is paused", hint=f"`connect instances resume {instance.id}` starts it again"
        )
