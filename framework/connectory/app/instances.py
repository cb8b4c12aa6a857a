"""`app.instances`: create, find, change, pause, log in, delete. An instance is named by its id or its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..deletions.search import Deletions
from ..instances.instances import Instances as StoredInstances
from ..instances.views import instance_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..auth import Token
    from ..instances.instances import Draft
    from ..instances.oauth import AuthorizationFlow
    from ..instances.parts import Parts
    from ..instances.views import Instance
    from ..store.instances import InstanceRow
    from .acts import Acts

    Consent = Callable[[AuthorizationFlow], Token]


class Instances:
    """The instances of a store. `actor` is who makes a change; by default whoever opened the application."""

    def __init__(self, parts: Parts, acts: Acts) -> None:
        self._parts = parts
        self._acts = acts
        self._stored = StoredInstances(parts)
        self._deletions = Deletions(parts.database, parts.clock)

    # Finding

    def find(self, *, element: str | None = None, name: str | None = None) -> list[Instance]:
        """The instances by id, of one element or with one name where that is given."""
        return [self._view(row) for row in self._stored.find(element_key=element, name=name)]

    def get(self, reference: int | str) -> Instance:
        """An instance by its id or its name; `NotFoundError` where there is none, or where a name is not unique."""
        return self._view(self._row(reference))

    def exists(self, instance_id: int) -> bool:
        return self._stored.exists(instance_id)

    def id_of(self, reference: int | str) -> int:
        return self._row(reference).id

    def ids_of(self, references: Iterable[int | str] | None) -> list[int] | None:
        """The ids of some instances; None stands for all."""
        return None if references is None else [self.id_of(reference) for reference in references]

    def warnings(self, reference: int | str) -> list[str]:
        """What a person should know of an instance's configuration."""
        return self._stored.warnings(self._row(reference))

    # Creating

    def create(self, body: Mapping[str, Any], *, consent: Consent | None = None, actor: str | None = None) -> Instance:
        """Make an instance of the body of `POST /instances`, log it in, and start its polls.

        `consent` is asked where a person must allow the access in a browser: it gets the flow, and returns what
        `flow.finish` returned. Nothing is kept of an instance whose login the provider refuses.
        """
        draft = self.prepare(body)
        return self.establish(draft, self.log_in(draft, consent), actor=actor)

    def prepare(self, body: Any) -> Draft:
        """Check the body of `POST /instances`; nothing is asked of the provider, nothing is written."""
        return self._stored.prepare(body)

    def log_in(self, draft: Draft, consent: Consent | None = None) -> Token | None:
        """The login of a draft: a consent where it needs one and can have it, else what its body brings.

        None for an element that does not use OAuth2.
        """
        if draft.needs_consent and consent is not None:
            return consent(self.flow(draft))
        return self._stored.token_of(draft)

    def flow(self, draft: Draft) -> AuthorizationFlow:
        """The OAuth2 flow of a draft that needs a consent."""
        return self._stored.flow(draft)

    def establish(self, draft: Draft, token: Token | None, *, actor: str | None = None) -> Instance:
        """Store a draft with its login, prove the login, and start its polls."""
        with self._acts.change("instances.create", actor):
            return self._view(self._stored.establish(draft, token))

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
        """Change what is given. Configuration is merged key by key, and cursors stay where they are."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.update", actor, instance_id):
            return self._view(self._stored.update(instance_id, name=name, tags=tags, configuration=configuration))

    def pause(self, reference: int | str, *, actor: str | None = None) -> Instance:
        """Stop polling; nothing is lost."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.pause", actor, instance_id):
            return self._view(self._stored.pause(instance_id))

    def resume(self, reference: int | str, *, actor: str | None = None) -> Instance:
        """Go on polling where it stopped."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.resume", actor, instance_id):
            return self._view(self._stored.resume(instance_id))

    def draft_of(self, reference: int | str, code: str | None = None) -> Draft:
        """An instance as a draft, to log in again with: `log_in(draft)`, then `reauthenticate`."""
        return self._stored.draft_of(self._row(reference), code)

    def reauthenticate(self, reference: int | str, token: Token, *, actor: str | None = None) -> Instance:
        """Give an instance a new login of the same account; polling goes on where it stopped.

        A login of another account is an `AuthenticationError`, and the old one is kept.
        """
        instance_id = self.id_of(reference)
        with self._acts.change("instances.reauthenticate", actor, instance_id):
            return self._view(self._stored.reauthenticate(instance_id, token))

    def allow_mass_delete(self, reference: int | str, resource: str, *, actor: str | None = None) -> Instance:
        """Believe an alarm: what is still missing from the next sweep is announced as deleted."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.allow_mass_delete", actor, instance_id):
            self._deletions.allow_mass_delete(instance_id, resource)
        return self.get(instance_id)

    def delete(self, reference: int | str, *, actor: str | None = None) -> None:
        """Remove an instance and everything that belongs to it; an id is never used again."""
        instance_id = self.id_of(reference)
        with self._acts.change("instances.delete", actor, instance_id):
            self._stored.delete(instance_id)

    def _row(self, reference: int | str) -> InstanceRow:
        return self._stored.get(reference) if isinstance(reference, int) else self._stored.resolve(reference)

    def _view(self, row: InstanceRow) -> Instance:
        return instance_view(self._parts, row)
