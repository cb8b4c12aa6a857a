"""Fills the templates with the pieces of one kind of auth and one of paging."""

from __future__ import annotations

from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

from ... import __version__
from ...app import LOOPBACK_CALLBACK
from ...hookspecs import API_VERSION
from .auths import AUTHS
from .pagings import PAGINGS
from .python import imported, listed, mapped, tidied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .answers import Answers
    from .auths import Auth
    from .pagings import Paging

# The most letters that the names of the resources may take in one sentence.
_MOST_NAMES = 48

_PARTS = (
    "Element",
    "Request",
    "Resource",
    "Sweep",
    "hookimpl",
    "judges",
    "message_at",
    "page_instead_of_json",
    "quota",
    "to_params",
)


def project_files(answers: Answers) -> dict[str, str]:
    """The text of each file of a project by its path, with slashes."""
    auth, paging = AUTHS[answers.auth], PAGINGS[answers.paging]
    words = _words(answers)
    pieces = {
        **words,
        **_plugin_pieces(answers, auth, paging, words),
        **_sandbox_pieces(answers, auth, paging, words),
        **_test_pieces(auth, words),
        **_text_pieces(answers, auth, words),
    }
    package = f"src/{answers.package}"
    templates = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        ".gitignore": "gitignore",
        ".github/workflows/test.yml": "test.yml",
        f"{package}/__init__.py": "plugin.py",
        f"{package}/sandbox.py": "sandbox.py",
        f"tests/test_{answers.package.removeprefix('connectory_')}.py": "test_plugin.py",
    }
    filled = {path: tidied(Template(_template(name)).substitute(pieces)) for path, name in templates.items()}
    return {**filled, f"{package}/py.typed": ""}


@cache
def _template(name: str) -> str:
    return resources.files(__package__).joinpath("templates", f"{name}.txt").read_text(encoding="utf-8")


def _words(answers: Answers) -> dict[str, str]:
    return {
        "key": answers.name,
        "title": answers.title,
        "CONSTANT": answers.constant,
        "class_name": answers.title.replace(" ", ""),
        "package": answers.package,
        "distribution": f"connectory-{answers.name}",
        "hub": answers.hub,
        "host": answers.host,
        "prefix": answers.prefix,
        "first": answers.resources[0],
        "resources": _joined(answers.resources),
        "api_version": str(API_VERSION),
        "least": ".".join(__version__.split(".")[:2]),
    }


def _joined(names: tuple[str, ...]) -> str:
    """The names as part of a sentence, or only the first one if they do not fit on a line."""
    shown = names if len(", ".join(names)) <= _MOST_NAMES else (names[0], "more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _plugin_pieces(answers: Answers, auth: Auth, paging: Paging, words: Mapping[str, str]) -> dict[str, str]:
    has_secret = "SecretField" in auth.fields
    typed = {"connectory": ["Client", "Config", "Params", "Query", "TokenSource"]}
    for module, name in auth.typed:
        typed.setdefault(module, []).append(name)
    typed["connectory.sandbox"] = ["Sandbox"]
    typed["requests.auth"] = ["AuthBase"]
    return {
        "imports": "\n".join(
            [
                imported("connectory", [*_PARTS, *auth.parts, *paging.imports]),
                *([imported("connectory.schemas", ["SecretField"])] if has_secret else []),
                imported("marshmallow", ["Schema", "fields"]),
            ]
        ),
        "typed": "\n".join(imported(module, typed[module], "    ") for module in sorted(typed)),
        "fields": _filled(auth.fields, words),
        "oauth": auth.oauth,
        "helpers": f"\n{auth.helpers}" if auth.helpers else "",
        "build": _filled(auth.build, words),
        "total": 'TOTAL = total_in_body("total")\n' if paging.counts else "",
        "paginator": paging.part,
        "probe": f', params=(("{paging.size}", "1"),)' if paging.size else "",
        "sweep": "total=TOTAL" if paging.counts else "",
        "resource_list": listed((f'resource("{name}")' for name in answers.resources), "    "),
    }


def _sandbox_pieces(answers: Answers, auth: Auth, paging: Paging, words: Mapping[str, str]) -> dict[str, str]:
    configured = ['"$key.url": base_url', *auth.configured]
    fakes = ["Sandbox", paging.fake, *auth.fakes]
    return {
        "sandbox_imports": "".join(f"{line}\n" for line in auth.imports),
        "fakes": imported("connectory.sandbox", fakes),
        "sandbox_typed": "    from werkzeug import Request\n" if auth.functions else "",
        "tables": listed(f'"{name}"' for name in answers.resources),
        "constants": auth.constants,
        "functions": f"\n{auth.functions}" if auth.functions else "",
        "login": _filled(auth.login, words),
        "configured": _filled(mapped(configured), words),
        "style": paging.style,
    }


def _test_pieces(auth: Auth, words: Mapping[str, str]) -> dict[str, str]:
    own = {words["package"]: ["TRANSLATE"], f"{words['package']}.sandbox": ["open_sandbox"]}
    others = {
        "connectory": ["Query", "parse_ceql"],
        "connectory.testing": ["ElementContract"],
        "werkzeug.test": ["Client"],
    }
    for module, name in auth.test_imports:
        module = _filled(module, words)
        (own if module.startswith(words["package"]) else others).setdefault(module, []).append(name)
    return {
        "test_others": "\n".join(imported(module, others[module]) for module in sorted(others)),
        "test_own": "\n".join(imported(module, own[module]) for module in sorted(own)),
        "auth_test": _filled(auth.test, words),
    }


def _text_pieces(answers: Answers, auth: Auth, words: Mapping[str, str]) -> dict[str, str]:
    oauth = [("oauth.api.key", "the client id of your application"), ("oauth.api.secret", "its client secret")]
    settings = [(f"{answers.name}.{name}", text) for name, text in auth.settings] or oauth
    return {
        "settings": "\n".join(f"| `{name}` | {text} |" for name, text in settings),
        "given": " ".join(f"--set {name}=..." for name, _ in settings),
        "callback": _CALLBACK.substitute(url=LOOPBACK_CALLBACK) if auth.oauth else "",
    }


_CALLBACK = Template("""
The provider must know the redirect URL of your application: `$url`, unless
`oauth.callback.url` names another.
""")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return Template(text).substitute(words)
