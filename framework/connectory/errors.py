"""Every exception that Connectory raises, grouped by what the caller can do about it.

```
ConnectoryError
├── ConfigurationError      change the input, then try again
│   ├── TemplateError       the input is a ${...} template in a poll URL
│   ├── DatePatternError    the input is a SimpleDateFormat pattern
│   ├── QueryError          the input is a CEQL expression
│   └── NotFoundError       the input names something that does not exist
├── ConflictError           another process or an earlier call holds the thing: look at it, then decide
│   └── StaleLeaseError     this worker lost its lease: stop the work, and write nothing
├── AuthenticationError     a person must log in again
│   └── ConsentRefusedError the person or the provider refused the consent
├── ProviderError           the provider answered, and repeating the request will not help
│   └── RetryLaterError     repeating the request later may help; `retry_after` says when, if it is known
├── PluginError             a plugin broke its contract; the message names the plugin
└── StoreError              the database cannot be read or written
```

The message says what is wrong. `where` is the place (a configuration key, a file), and `hint` says what to do next.
`exit_code` is the exit code of the command line, and `status` is the HTTP status of the API.
"""

from __future__ import annotations

from typing import ClassVar


class ConnectoryError(Exception):
    """The root of all errors: `message` says what is wrong, `where` names the place, `hint` says what to do.

    `str` joins all three.

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
    """The input is wrong: a configuration, a file, or an argument."""

    exit_code = 2
    status = 400


class PositionedError(ConfigurationError):
    """A mistake in a text: `text` is the complete text, and `position` is the index of the wrong character."""

    def __init__(
        self, message: str, *, text: str, position: int, where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.pointer()}"

    def pointer(self) -> str:
        """At most 100 characters of the text, with a caret under the mistake."""
        start = max(0, self.position - 60)
        shown = self.text[start : start + 100]
        return f"  {shown}\n  {' ' * (self.position - start)}^"


class TemplateError(PositionedError):
    pass


class DatePatternError(PositionedError):
    pass


class QueryError(PositionedError):
    """The text is not a CEQL expression, or the provider cannot answer it."""


class NotFoundError(ConfigurationError):
    """The element, instance, resource or other thing that was named does not exist."""

    status = 404


class ConflictError(ConnectoryError):
    exit_code = 6
    status = 409


class StaleLeaseError(ConflictError):
    pass


class AuthenticationError(ConnectoryError):
    """The provider does not accept the login any more, so a person must log in again."""

    exit_code = 3
    status = 401


class ConsentRefusedError(AuthenticationError):
    status = 403


class ProviderError(ConnectoryError):
    """The provider's answer is final. `provider_message` is its text, and `provider_status` is its HTTP status."""

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
    """The request may succeed later. `retry_after` is in seconds; it is None if the provider named no time."""

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
    """A plugin broke its contract: it raised an exception, or its answer has the wrong type."""


class StoreError(ConnectoryError):
    exit_code = 5
