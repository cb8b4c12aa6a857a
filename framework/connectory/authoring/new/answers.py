"""The answers of the author of a new plugin, and the checks of each one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LETTERS = 28
MOST_URL = 100

DEFAULT_AUTH = "oauth2"
DEFAULT_PAGING = "page-number"
DEFAULT_HUB = "general"
DEFAULT_RESOURCES = ("orders", "customers")

_WORD = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?")
_LOCAL = {"localhost", "127.0.0.1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """Everything that `project_files` needs, checked. `url` is the API's base address, without a slash at its end.

    >>> answers = Answers(name="acme-shop", url="https://api.acme.example/v2")
    >>> answers.package, answers.constant, answers.title, answers.host, answers.prefix
    ('connectory_acme_shop', 'ACME_SHOP', 'Acme Shop', 'https://api.acme.example', '/v2')
    """

    name: str
    url: str
    auth: str = DEFAULT_AUTH
    paging: str = DEFAULT_PAGING
    resources: tuple[str, ...] = DEFAULT_RESOURCES
    hub: str = DEFAULT_HUB

    @property
    def package(self) -> str:
        return f"connectory_{self.name.replace('-', '_')}"

    @property
    def constant(self) -> str:
        return self.name.replace("-", "_").upper()

    @property
    def title(self) -> str:
        return self.name.replace("-", " ").title()

    @property
    def host(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def prefix(self) -> str:
        """The path of the API's base address: the part between the host and a resource."""
        return urlsplit(self.url).path


def default_url(name: str) -> str:
    return f"https://api.{name}.example/v1"


def checked_name(text: str) -> str:
    if text.startswith("connectory-"):
        raise ConfigurationError(
            f"{text!r} begins with the prefix that is added to every package", where="NAME", hint=f"use {text[11:]!r}"
        )
    if text == "connectory":
        raise ConfigurationError("this is the framework's own name", where="NAME", hint="use e.g. acme-shop")
    return _word(text, "NAME", "a plugin", "acme-shop")


def checked_unused(name: str) -> None:
    """Raise `ConfigurationError` if an element or a plugin of this name is installed."""
    from ...plugins import Plugins

    plugins = Plugins.load()
    owners = {element.key: plugins.owner_of(element.key) for element in plugins.elements()}
    names = {info.name for info in plugins.infos() if info.distribution is not None}
    if name not in owners and name not in names:
        return
    taken = f"an element {name!r} of the plugin {owners[name]!r}" if name in owners else f"a plugin {name!r}"
    raise ConfigurationError(
        f"{taken} is already installed", where="NAME", hint="choose another name, or uninstall that plugin"
    )


def checked_hub(text: str) -> str:
    return _word(text, "--hub", "a hub", "--hub finance")


def checked_resources(texts: Sequence[str]) -> tuple[str, ...]:
    """The names of the resources, in their order."""
    names = tuple(_word(text, "--resource", "a resource", "--resource orders") for text in texts)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"{twice!r} is named twice", where="--resource", hint="name each resource once")
    if not names:
        raise ConfigurationError("there is no resource to poll", where="--resource", hint="name one, e.g. orders")
    return names


def checked_choice(text: str, choices: Sequence[str], option: str) -> str:
    if text not in choices:
        raise ConfigurationError(
            f"{text!r} is not a valid choice", where=option, hint=f"choose one of {', '.join(choices)}"
        )
    return text


def checked_url(text: str) -> str:
    """The base address of an API, without a slash at its end."""
    url = text.strip()
    if _URL.fullmatch(url) is None or not _has_port(url) or len(url) > MOST_URL:
        raise ConfigurationError(
            f"{text!r} is not a valid address of an API",
            where="--url",
            hint=f"use only scheme, host and path, e.g. https://api.example.com/v1; at most {MOST_URL} characters",
        )
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise ConfigurationError(
            f"{text!r} would send the login unencrypted", where="--url", hint="use https; http is only for this machine"
        )
    return url.rstrip("/")


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _word(text: str, where: str, what: str, example: str) -> str:
    if _WORD.fullmatch(text) is None or len(text) > MOST_LETTERS:
        raise ConfigurationError(
            f"{text!r} cannot be the name of {what}",
            where=where,
            hint=f"use lower-case letters and digits with single hyphens between them, a letter first and "
            f"at most {MOST_LETTERS} characters, e.g. {example}",
        )
    return text
