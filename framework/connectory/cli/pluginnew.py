"""`connect plugin new`: asks what the new plugin is like, and writes its project."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import note, say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..authoring.new import Answers

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The element's key; the package is called connectory-NAME.")]
_Url = Annotated[str | None, typer.Option(help="The base address of the API.")]
_Auth = Annotated[
    str | None, typer.Option(help="How to authenticate: oauth2, bearer, api-key-header, api-key-query, basic or hmac.")
]
_Paging = Annotated[
    str | None,
    typer.Option(help="How lists are paged: page-number, offset, cursor, next-link, link-header, keyset or none."),
]
_Resource = Annotated[
    list[str] | None,
    typer.Option(help="A list that the API has, or several with commas. Repeatable; by default orders, customers."),
]
_Hub = Annotated[str | None, typer.Option(help="The kind of system, such as crm or finance.")]
_Into = Annotated[Path | None, typer.Option("--into", "--directory", help="The project's folder; by default ./NAME.")]
_NoInput = Annotated[bool, typer.Option("--no-input", help="Ask nothing; use the defaults of missing options.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, and ask nothing.")]


def register(app: typer.Typer) -> None:
    app.command("new")(new)


def new(
    name: _Name,
    url: _Url = None,
    auth: _Auth = None,
    paging: _Paging = None,
    resource: _Resource = None,
    hub: _Hub = None,
    directory: _Into = None,
    no_input: _NoInput = False,
    as_json: _Json = False,
) -> None:
    """Write the project of a new plugin: the element, a sandbox, tests, and the files around them.

    On a terminal the command asks for the answers that the options do not give.

    Example: connect plugin new acme-shop --url https://api.acme.example/v1 --auth bearer --resource orders --no-input
    """
    from ..authoring.new import project_files, write_project
    from ..authoring.new.answers import checked_name, checked_unused
    from ..authoring.new.write import check_free

    checked_unused(checked_name(name))
    into = directory or Path(name)
    check_free(into, "--into" if directory else "NAME")
    resources = None if resource is None else " ".join(resource)
    given = {"url": url, "auth": auth, "paging": paging, "resources": resources, "hub": hub}
    asking = not (no_input or as_json) and sys.stdin.isatty()
    answers = _answers(name, {key: text for key, text in given.items() if text is not None}, asking=asking)
    files = project_files(answers)
    write_project(files, into)
    (_show_json if as_json else _show)(answers, into, list(files))


def _show_json(answers: Answers, into: Path, files: Sequence[str]) -> None:
    say_json(
        {
            "element": answers.name,
            "directory": str(into),
            "auth": answers.auth,
            "paging": answers.paging,
            "resources": answers.resources,
            "files": files,
            "next": _next(answers.name, into),
        }
    )


def _show(answers: Answers, into: Path, files: Sequence[str]) -> None:
    say(f"Wrote the plugin {answers.name} into {into}:")
    for path in files:
        say(f"  {path}")
    say()
    say("What comes next:")
    for command in _next(answers.name, into):
        say(f"  {command}")


def _answers(name: str, given: Mapping[str, str], *, asking: bool) -> Answers:
    """Take each answer from its option. Without the option, ask the person if `asking`, or else use the default."""
    from ..authoring.new import AUTHS, PAGINGS, Answers
    from ..authoring.new.answers import (
        DEFAULT_AUTH,
        DEFAULT_HUB,
        DEFAULT_PAGING,
        DEFAULT_RESOURCES,
        checked_choice,
        checked_hub,
        checked_resources,
        checked_url,
        default_url,
    )

    def answer(key: str, question: str, default: str, check: Callable[[str], str]) -> str:
        if key in given:
            return check(given[key])
        return _ask(question, default, check) if asking else check(default)

    def choice(key: str, question: str, default: str, choices: Mapping[str, str]) -> str:
        if asking and key not in given:
            note(question)
            for chosen, label in choices.items():
                note(f"  {chosen.ljust(max(map(len, choices)))}  {label}")
        return answer(key, "Which one", default, lambda text: checked_choice(text, list(choices), f"--{key}"))

    def resources(text: str) -> str:
        return " ".join(checked_resources(text.replace(",", " ").split()))

    return Answers(
        name=name,
        url=answer("url", "Base address of the API", default_url(name), checked_url),
        auth=choice("auth", "How to authenticate?", DEFAULT_AUTH, {key: kind.label for key, kind in AUTHS.items()}),
        paging=choice(
            "paging", "How are lists paged?", DEFAULT_PAGING, {key: kind.label for key, kind in PAGINGS.items()}
        ),
        resources=tuple(answer("resources", "Lists to poll", " ".join(DEFAULT_RESOURCES), resources).split()),
        hub=answer("hub", "Kind of system (hub)", DEFAULT_HUB, checked_hub),
    )


def _ask(question: str, default: str, check: Callable[[str], str]) -> str:
    """Ask the person until the answer is valid."""
    from ..errors import ConfigurationError

    while True:
        text: str = typer.prompt(question, default=default, err=True)
        try:
            return check(text.strip())
        except ConfigurationError as error:
            note(f"{error.message}: {error.hint}" if error.hint else error.message)


def _next(name: str, into: Path) -> list[str]:
    directory = shlex.quote(os.path.normpath(into))
    return [
        *([] if directory == "." else [f"cd {directory}"]),
        "pip install -e '.[test]'",
        "pytest",
        f"connect run {name} --sandbox",
    ]
