"""`app.instances`: create, find, change, pause, log in, delete. An instance is named by its id or its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..deletions.alarm import allow_mass_delete
from ..instances import creating, editing, finding, states
from ..instances import draft as drafts
from ..instances.views import instance_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..auth import Token
    from ..instances.draft import Draft
    from ..instances.login.consent import AuthorizationFlow
    from ..instances.parts import Parts
    from ..instances.views import Instance
    from ..store.instances import InstanceRow
    from .acts import Acts, Change

    Consent = Callable[[str], str]
    """Sends a person to an address, and returns the address that the provider redirects the browser to."""


class Instances:
    """The instances of a store. `reference` is the id or the name of an instance."""

    def __init__(self, parts: Parts, acts: Acts) -> None:
        self._parts = parts
        self._acts = acts

    # Finding

    def find(self, *, element: str | None = None, name: str | None = None) -> list[Instance]:
        """The instances in the order of their ids. `element` and `name` narrow the list."""
        return [self._view(row) for row in finding.find(self._parts.database, element_key=element, name=name)]

    def get(self, reference: int | str) -> Instance:
        """One instance. Raises `NotFoundError` if there is none, `ConfigurationError` if several have the name."""
        return self._view(self._row(reference))

    def exists(self, instance_id: int) -> bool:
        return finding.exists(self._parts.database, instance_id)

    def id_of(self, reference: int | str) -> int:
        return self._row(reference).id

    def ids_of(self, references: Iterable[int | str] | None) -> list[int] | None:
        """The ids of some instances; None stands for all instances, and stays None."""
        return None if references is None else [self.id_of(reference) for reference in references]

    def warnings(self, reference: int | str) -> list[str]:
        """What a person should know about an instance's configuration."""
        return drafts.warnings_of(self._parts, self._row(reference))

    # Creating

    def create(self, body: Mapping[str, Any], *, consent: Consent | None = None, actor: str | None = None) -> Instance:
        """Make an instance from the body of `POST /instances`, log it in, and start its polls.

        If a person must allow the access first, `consent` is called with the address of the provider's page. It returns
        the address that the browser was redirected to afterwards. An instance whose login fails is not kept.

        A program that cannot wait for the person takes the steps itself: `prepare`, `flow`, `establish`.
        """
        with self._acts.change("instances.create", actor) as change:
            draft = self.prepare(body)
            token = self.log_in(draft, None if consent is None else _asking(consent))
            return self._establish(draft, token, change)

    def prepare(self, body: Any) -> Draft:
        """Check the body of `POST /instances`. Nothing is stored, and the provider is not asked."""
        return drafts.prepare(self._parts.plugins, body)

    def log_in(self, draft: Draft, ask: Callable[[AuthorizationFlow], Token] | None = None) -> Token | None:
        """Log in for a draft, with what its body contains (a code, a password, a refresh token) or through `ask`.

        `ask` is called only if a person must allow the access. It calls `flow.start()`, sends the person to the address
        that it returns, and returns the token of `flow.finish(answer)`. The result is None if the element does not use
        OAuth2.
        """
        if draft.needs_consent and ask is not None:
            return ask(self.flow(draft))
        return creating.token_of(self._parts, draft)

    def flow(self, draft: Draft) -> AuthorizationFlow:
        """The OAuth2 flow of a draft that needs a consent: `flow.start().url`, then `flow.finish(answer)`."""
        return self._parts.runtimes.flow(draft.element, draft.config)

    def establish(self, draft: Draft, token: Token | None, *, actor: str | None = None) -> Instance:
        """Store a draft with its login, try the login, and start the polls. If the login fails, nothing is kept."""
        with self._acts.change("instances.create", actor) as change:
            return self._establish(draft, token, change)

    def _establish(self, draft: Draft, token: Token | None, change: Change) -> Instance:
        row = creating.establish(self._parts, draft, token)
        change.made(row.id)
        return self._view(row)

    # Changing

    def update(
        self,
        reference: int | str,
        *,
        name: str | None = None,
        tags: Sequence[str] | None = None,
        configuration: Mapping[str, Any] | None = None,
        actor: str | None = None,
    ) -> Instance:
        """Change what is given, and nothing else. Configuration is merged key by key. Cursors do not move."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.update", actor, instance_id):
            edit = editing.Edit(name=name, tags=tags, configuration=configuration)
            return self._view(editing.update(self._parts, instance_id, edit))

    def pause(self, reference: int | str, *, actor: str | None = None) -> Instance:
        """Stop polling. Changes that happen during a pause are announced after `resume`."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.pause", actor, instance_id):
            return self._view(states.pause(self._parts, instance_id))

    def resume(self, reference: int | str, *, actor: str | None = None) -> Instance:
        """Poll again, from where polling stopped."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.resume", actor, instance_id):
            return self._view(states.resume(self._parts, instance_id))

    def draft_of(self, reference: int | str, code: str | None = None) -> Draft:
        """An instance as a draft, to log in again: `log_in(draft)`, then `reauthenticate`.

        `code` is an authorization code that was obtained elsewhere.
        """
        return drafts.draft_of(self._parts, self._row(reference), code)

    def reauthenticate(self, reference: int | str, token: Token, *, actor: str | None = None) -> Instance:
        """Give an instance a new login of the same account. Polling continues where it stopped.

        Raises `AuthenticationError` for a login of another account; the instance then keeps its old login.
        """
        instance_id = self.id_of(reference)
        with self._acts.change("instances.reauthenticate", actor, instance_id):
            return self._view(states.reauthenticate(self._parts, instance_id, token))

    def allow_mass_delete(self, reference: int | str, resource: str, *, actor: str | None = None) -> Instance:
        """Accept an alarm: objects that are still missing in the next sweep are announced as deleted."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.allow_mass_delete", actor, instance_id):
            allow_mass_delete(self._parts.database, self._parts.clock, instance_id, resource)
        return self.get(instance_id)

    def delete(self, reference: int | str, *, actor: str | None = None) -> None:
        """Remove an instance with its events and deliveries. Its id is never used again."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.delete", actor, instance_id):
            states.delete(self._parts, instance_id)

    def _row(self, reference: int | str) -> InstanceRow:
        return finding.resolve(self._parts.database, reference)

    def _view(self, row: InstanceRow) -> Instance:
        return instance_view(self._parts, row)


def _asking(consent: Consent) -> Callable[[AuthorizationFlow], Token]:
    return lambda flow: flow.finish(consent(flow.start().url))
