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
    pass


class NotFoundError(ConfigurationError):
    status = 404


class ConflictError(ConnectoryError):
    exit_code = 6
    status = 409


class StaleLeaseError(ConflictError):
    pass


class AuthenticationError(ConnectoryError):
    exit_code = 3
    status = 401


class ConsentRefusedError(AuthenticationError):
    status = 403


class ProviderError(ConnectoryError):
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
    pass


class StoreError(ConnectoryError):
    exit_code = 5
