"""Every exception that leaves Connectory, grouped by what the caller can do about it.

```
ConnectoryError
├── ConfigurationError      change what you gave us, then try again
│   ├── TemplateError       ... a ${...} template in a poll URL
│   ├── DatePatternError    ... a SimpleDateFormat pattern
│   ├── QueryError          ... a CEQL expression
│   └── NotFoundError       ... the thing you named does not exist here
├── ConflictError           another process or an earlier call holds it; look, then decide
│   └── StaleLeaseError     this worker lost its lease: drop what it was doing, write nothing
├── AuthenticationError     a person must log in again
│   └── ConsentRefusedError ... the person said no, or the provider did
├── ProviderError           the provider answered, and the answer is final for this request
│   └── RetryLaterError     ... or it may work later; `retry_after` says when, where it is known
├── PluginError             a plugin broke its contract; the message names it
└── StoreError              the database cannot be read or written as it is
```

The message says what is wrong, `where` points at it (a configuration key, a position, a file), and
`hint` says what to do next. `exit_code` is what the command line ends with, `status` what the API answers.
"""

from __future__ import annotations

from typing import ClassVar


class ConnectoryError(Exception):
    """The root: what is wrong (`message`), where, and what to do (`hint`). `str` gives all three.

    >>> error = ConfigurationError("expected a URL", where="acme.url", hint="e.g. https://acme.example")
    >>> str(error), error.exit_code, error.status
    ('acme.url: expected a URL (e.g. https://acme.example)', 2, 400)
    >>> RetryLaterError("too many requests", retry_after=30).retry_after
    30
    >>> print(QueryError("expected a value", text="status =", position=8).pointer())
      status =
              ^
    """

    exit_code: ClassVar[int] = 1
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class ConfigurationError(ConnectoryError):
    """Something that was given to Connectory is wrong: a configuration, a file, an argument."""

    exit_code = 2
    status = 400


class PositionedError(ConfigurationError):
    """A mistake in a text that somebody wrote: `text` is the whole of it, `position` the 0-based character."""

    def __init__(
        self, message: str, *, text: str, position: int, where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.pointer()}"

    def pointer(self) -> str:
        """The text, at most 100 characters of it, with a caret under the mistake."""
        start = max(0, self.position - 60)
        shown = self.text[start : start + 100]
        return f"  {shown}\n  {' ' * (self.position - start)}^"


class TemplateError(PositionedError):
    pass


class DatePatternError(PositionedError):
    pass


class QueryError(PositionedError):
    """A CEQL expression that is no CEQL, or that the provider cannot be asked."""


class NotFoundError(ConfigurationError):
    """What was named does not exist here: an element, an instance, a resource."""

    status = 404


class ConflictError(ConnectoryError):
    exit_code = 6
    status = 409


class StaleLeaseError(ConflictError):
    pass


class AuthenticationError(ConnectoryError):
    """The provider knows the login no more: a person must log in again."""

    exit_code = 3
    status = 401


class ConsentRefusedError(AuthenticationError):
    status = 403


class ProviderError(ConnectoryError):
    """The provider's answer is final. `provider_message` is in its own words, `provider_status` its HTTP status."""

    exit_code = 4
    status = 502

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        provider_message: str | None = None,
        provider_status: int | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.provider_message = provider_message
        self.provider_status = provider_status


class RetryLaterError(ProviderError):
    """`retry_after` is in seconds, or None where the provider named no time."""

    status = 503

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        where: str | None = None,
        hint: str | None = None,
        provider_message: str | None = None,
        provider_status: int | None = None,
    ) -> None:
        super().__init__(
            message,
            where=where,
            hint=hint,
            provider_message=provider_message,
            provider_status=provider_status,
        )
        self.retry_after = retry_after


class PluginError(ConnectoryError):
    """A plugin broke its contract: it raised, or answered with what is no answer."""


class StoreError(ConnectoryError):
    exit_code = 5
