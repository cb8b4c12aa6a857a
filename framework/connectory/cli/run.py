"""`connect run`: the main job. Creates an instance where there is none, logs in, polls, delivers, and shows it."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import note, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..app import App, AuthorizationFlow, Draft, Elements, Instance
    from ..auth import Token
    from ..sandbox.protocol import ProviderSandbox
    from ..settings import Settings
    from .stopping import Stop
    from .watching import Verified, Watcher

_SANDBOX_INTERVAL = 2.0
_SANDBOX_PACE = 3.0
# How long the last notifications of a bounded run are waited for, seconds.
_GRACE = 20.0
# The tag of instances of a sandbox, and the end of their names: they must not be taken for those of the provider.
SANDBOX = "sandbox"
# Seconds between two looks whether what is polled is still there.
_LOOK = 2.0


def register(app: typer.Typer) -> None:
    app.command("run")(run)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What the command line says of an instance."""

    element: str
    file: Path | None = None
    settings: Sequence[str] = ()
    resources: Sequence[str] = ()
    interval: str | None = None
    callback_url: str | None = None
    signature_key: str | None = None
    name: str | None = None
    tags: Sequence[str] = ()
    first_poll: str | None = None
    code: str | None = None
    browser: bool = True
    sandboxed: dict[str, Any] = field(default_factory=dict)


def run(
    context: typer.Context,
    element: Annotated[str, typer.Argument(help="The element's key, such as servicenowoauth.")],
    file: Annotated[Path | None, typer.Option(help="The JSON body of POST /instances.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A configuration value, key=value; repeatable.")
    ] = None,
    resource: Annotated[list[str] | None, typer.Option(help="Poll only this resource; repeatable.")] = None,
    interval: Annotated[str | None, typer.Option(help="Time between two polls: minutes, or 30s, 5m, 1h.")] = None,
    callback_url: Annotated[str | None, typer.Option(help="Where notifications are sent.")] = None,
    signature_key: Annotated[
        str | None, typer.Option(envvar="CONNECTORY_SIGNATURE_KEY", help="Signs the notifications.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The instance's name; the element's key by default.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the instance; repeatable.")] = None,
    first_poll: Annotated[
        str | None, typer.Option("--from", help="What a new instance announces first: now, all, or since a date.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Poll each resource once, deliver, and end.")] = False,
    duration: Annotated[str | None, typer.Option("--for", help="End after this time: 30s, 5m, 1h.")] = None,
    with_sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Against a sandbox of the provider, with a receiver, on this machine.")
    ] = False,
    fault: Annotated[list[str] | None, typer.Option(help="With --sandbox: a fault to have; repeatable.")] = None,
    code: Annotated[str | None, typer.Option(help="An authorization code that was obtained elsewhere.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser for the consent.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Poll an element's instance and deliver what changes, until Ctrl-C.

    The instance is found by its name, or created. What it is called with changes it; its cursors stay.

    Example: connect run servicenowoauth --sandbox --for 30s

    Example: connect run servicenowoauth --set servicenow.subdomain=acme --set oauth.api.key=ID
    --set oauth.api.secret=SECRET --callback-url https://example.com/events --interval 5
    """
    from ..errors import ConfigurationError
    from .body import seconds_of

    seconds = seconds_of(duration, "--for", "s") if duration else None
    if fault and not with_sandbox:
        raise ConfigurationError("there is no sandbox to break", where="--fault", hint="add --sandbox")
    options = Options(
        element=element,
        file=file,
        settings=settings or (),
        resources=resource or (),
        interval=interval,
        callback_url=callback_url,
        signature_key=signature_key,
        name=name,
        tags=tag or (),
        first_poll=first_poll,
        code=code,
        browser=browser,
    )
    if with_sandbox:
        _run_in_sandbox(context, options, fault or (), once=once, seconds=seconds, as_json=as_json)
    else:
        _run(context, options, once=once, seconds=seconds, as_json=as_json)


def _run(context: typer.Context, options: Options, *, once: bool, seconds: float | None, as_json: bool) -> None:
    from .opening import opened
    from .stopping import Stop

    with opened(context) as app, Stop() as stop:
        instance = find_or_create(app, options, stop)
        work(app, [instance], stop, once=once, seconds=seconds, as_json=as_json)


# The instance


def body_of(options: Options, elements: Elements) -> dict[str, Any]:
    """The body of `POST /instances` that a file and options make together; options win."""
    from ..schemas import (
        CALLBACK_URL,
        FIRST_POLL,
        LOOPBACK_CALLBACK,
        NOTIFICATIONS_ENABLED,
        OAUTH_CALLBACK_URL,
        REFRESH_INTERVAL,
        SIGNATURE_KEY,
    )
    from .body import choose_element, only_resources, parse_settings, read_body, seconds_of

    body = read_body(options.file)
    key = choose_element(body, options.element)
    element = elements.get(key)
    given = body.get("configuration")
    configuration: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
    if isinstance(given, dict) or given is None:
        body["configuration"] = configuration
    configuration |= options.sandboxed | parse_settings(options.settings)
    for name, value in ((CALLBACK_URL, options.callback_url), (SIGNATURE_KEY, options.signature_key)):
        if value is not None:
            configuration[name] = value
    if options.interval is not None:
        configuration[REFRESH_INTERVAL] = str(seconds_of(options.interval, "--interval", "m") / 60)
    if options.first_poll is not None:
        configuration[FIRST_POLL] = options.first_poll
    configuration.setdefault(NOTIFICATIONS_ENABLED, True)
    if element.uses_oauth:
        configuration.setdefault(OAUTH_CALLBACK_URL, LOOPBACK_CALLBACK)
    if options.resources:
        only_resources(configuration, options.resources, key, elements)
    if options.name is not None:
        body["name"] = options.name
    if options.tags:
        body["tags"] = list(options.tags)
    if options.code is not None:
        body["providerData"] = {"code": options.code}
    elif options.sandboxed:
        # A file's code is of the real provider; the sandbox's own person gives one.
        body.pop("providerData", None)
    if options.sandboxed:
        body.setdefault("name", f"{key}-{SANDBOX}")
        body["tags"] = [*(body.get("tags") or ()), SANDBOX]
    return body


def find_or_create(app: App, options: Options, stop: Stop, fake: ProviderSandbox | None = None) -> Instance:
    body = body_of(options, app.elements)
    name = str(body.get("name") or options.element)
    found = app.instances.find(element=options.element, name=name)
    if found:
        return _reuse(app, found[0], options, body, stop, fake)
    draft = app.instances.prepare(body)
    made = app.instances.establish(draft, app.instances.log_in(draft, person_at_browser(draft, options, stop, fake)))
    note(f"Created instance {made.id} ({made.name}).")
    return made


def person_at_browser(
    draft: Draft, options: Options, stop: Stop, fake: ProviderSandbox | None = None
) -> Callable[[AuthorizationFlow], Token]:
    """Asks for a consent: of the sandbox's own person, or of somebody at a browser."""
    from ..sandbox.protocol import PlaysLogin
    from ..schemas import OAUTH_CALLBACK_URL
    from . import consent

    def ask(flow: AuthorizationFlow) -> Token:
        if fake is not None and isinstance(fake, PlaysLogin):
            return flow.finish(fake.consent(flow.start().url))
        return consent.ask(flow, str(draft.config[OAUTH_CALLBACK_URL]), stop, browser=options.browser)

    return ask


def _reuse(
    app: App, instance: Instance, options: Options, body: dict[str, Any], stop: Stop, fake: ProviderSandbox | None
) -> Instance:
    from ..errors import ConfigurationError

    if options.sandboxed and SANDBOX not in instance.tags:
        raise ConfigurationError(
            f"instance {instance.id} ({instance.name}) is not a sandbox's, and would be made one",
            where="--name",
            hint="name another one for the sandbox",
        )
    refuse_paused(instance)
    asked = options.file or options.settings or options.resources or options.interval or options.callback_url
    if asked or options.signature_key or options.sandboxed:
        instance = app.instances.update(instance.id, configuration=body["configuration"], tags=body.get("tags"))
        note(f"Going on with instance {instance.id} ({instance.name}), changed as asked; its cursors stay.")
    else:
        note(f"Going on with instance {instance.id} ({instance.name}).")
    if not instance.valid or options.code or options.sandboxed:
        draft = app.instances.draft_of(instance.id, code=options.code)
        token = app.instances.log_in(draft, person_at_browser(draft, options, stop, fake))
        instance = app.instances.reauthenticate(instance.id, token) if token is not None else instance
    return instance


def refuse_paused(instance: Instance) -> None:
    from ..errors import ConflictError

    if instance.disabled:
        raise ConflictError(
            f"instance {instance.id} is paused", hint=f"`connect instances resume {instance.id}` lets it go on"
        )


# The work


def work(
    app: App,
    instances: Sequence[Instance],
    stop: Stop,
    *,
    once: bool,
    seconds: float | None,
    as_json: bool,
    checked: Verified | None = None,
) -> Watcher:
    """Poll and deliver until it is time to stop; a bounded run ends with the error that was not made good."""
    from .watching import Watcher

    watcher = Watcher(as_json=as_json, on_lost=stop.set)
    ids = [instance.id for instance in instances]
    for instance in instances:
        _say_where(app, instance)
    try:
        if once:
            app.polls.make_due(ids)
            app.run_once(instances=ids, observer=watcher, stop=stop.event)
        else:
            _until(app, ids, watcher, stop, seconds)
    finally:
        watcher.summary(app.deliveries.pending(_existing(app, ids)), checked)
    if watcher.lost is not None:
        raise watcher.lost
    if (once or seconds is not None) and watcher.errors:
        raise next(reversed(watcher.errors.values()))
    return watcher


def _say_where(app: App, instance: Instance) -> None:
    from ..schemas import NOTIFICATIONS_ENABLED

    for warning in app.instances.warnings(instance.id):
        note(f"warning: {warning}")
    resources = ", ".join(poll.resource for poll in instance.polls if poll.active)
    if not instance.events_enabled:
        note(f"Nothing is polled: {NOTIFICATIONS_ENABLED} is false.")
    elif instance.callback_url:
        note(f"Polling {resources or 'nothing'}; notifications go to {instance.callback_url}.")
    else:
        note(f"Polling {resources or 'nothing'}; events are stored and shown. --callback-url sends them somewhere.")
    for held in instance.subscriptions:
        if held.state != "active":
            note(
                f"warning: nothing is sent to {held.url}: {held.reason}; what is announced is kept for it,"
                f" and `connect deliveries resume {instance.id}` sends it"
            )


def _until(app: App, ids: Sequence[int], watcher: Watcher, stop: Stop, seconds: float | None) -> None:
    from ..app.app import GRACE

    with app.running(instances=ids, observer=watcher, ended=stop.event):
        _wait(app, ids, stop, seconds)
    if seconds is not None and not stop.event.is_set():
        app.drain(GRACE, instances=_existing(app, ids), observer=watcher, stop=stop.event)


def _wait(app: App, ids: Sequence[int], stop: Stop, seconds: float | None) -> None:
    """Until it is time to stop, or somebody has deleted what is polled."""
    ends = None if seconds is None else time.monotonic() + seconds
    while not stop.wait(_LOOK if ends is None else max(0.0, min(_LOOK, ends - time.monotonic()))):
        if ends is not None and time.monotonic() >= ends:
            return
        if not _existing(app, ids):
            note("The instance was deleted; there is nothing left to poll.")
            return


def _existing(app: App, ids: Sequence[int]) -> list[int]:
    return [instance_id for instance_id in ids if app.instances.exists(instance_id)]


# The sandbox


def _run_in_sandbox(
    context: typer.Context, options: Options, faults: Sequence[str], *, once: bool, seconds: float | None, as_json: bool
) -> None:
    from ..app import open_app
    from ..receiver.receiver import Receiver
    from ..sandbox.serving import Served
    from .opening import actor
    from .stopping import Stop
    from .watching import Verified

    key = secrets.token_urlsafe(24)
    checked = Verified()
    with contextlib.ExitStack() as stack:
        stop = stack.enter_context(Stop())
        settings = stack.enter_context(_home_of_a_sandbox(context))
        app = stack.enter_context(open_app(settings.home, actor=actor()))
        fake = app.elements.open_sandbox(options.element, faults)
        provider = stack.enter_context(Served(fake))
        receiver = stack.enter_context(Served(Receiver([key.encode()], checked.take)))
        if not as_json:
            say(f"A sandbox of {options.element} runs on {provider.url}, and a receiver on {receiver.url}.")
        options = _sandboxed(options, fake, provider.url, receiver.url, key)
        instance = find_or_create(app, options, stop, fake)
        with _people_until_near_the_end(fake, stop, seconds, once=once, silent=as_json):
            watcher = work(app, [instance], stop, once=once, seconds=seconds, as_json=as_json, checked=checked)
    _check(watcher, checked)


@contextlib.contextmanager
def _home_of_a_sandbox(context: typer.Context) -> Iterator[Settings]:
    """A folder that is thrown away, unless one was named: a sandbox's instance is gone with the sandbox."""
    from ..settings import Settings
    from .opening import settings_of

    if context.parent is not None and context.parent.params.get("home"):
        yield context.obj if isinstance(context.obj, Settings) else settings_of(None)
        return
    with tempfile.TemporaryDirectory(prefix="connectory-") as folder:
        yield settings_of(Path(folder))


def _sandboxed(options: Options, fake: ProviderSandbox, provider: str, receiver: str, key: str) -> Options:
    from dataclasses import replace

    from ..schemas import CALLBACK_URL, REFRESH_INTERVAL, SIGNATURE_KEY

    sandboxed = dict(fake.configuration(provider)) | {
        CALLBACK_URL: f"{receiver}/events",
        SIGNATURE_KEY: key,
        REFRESH_INTERVAL: str(_SANDBOX_INTERVAL / 60),
    }
    return replace(options, sandboxed=sandboxed)


@contextlib.contextmanager
def _people_until_near_the_end(
    fake: ProviderSandbox, stop: Stop, seconds: float | None, *, once: bool, silent: bool
) -> Iterator[None]:
    """People at work, who go home early enough for their last changes to be polled and delivered."""
    import threading

    from .sandbox import people

    if once:
        yield
        return
    if not silent:
        say("People begin to work in it; their changes are announced as they are found.")
    home = threading.Event()
    timer = None
    if seconds is not None:
        timer = threading.Timer(max(1.0, seconds - 6 - 3 * _SANDBOX_INTERVAL), home.set)
        timer.start()
    try:
        with people(fake, _SANDBOX_PACE, lambda _change: None, home):
            yield
    finally:
        if timer is not None:
            timer.cancel()


def _check(watcher: Watcher, checked: Verified) -> None:
    """Everything that was announced must have arrived, verified and in order."""
    from ..errors import ConnectoryError

    arrived = sum(checked.events.values())
    if checked.refused:
        raise ConnectoryError(f"the receiver refused {len(checked.refused)} notifications: {checked.refused[0]}")
    if checked.out_of_order:
        raise ConnectoryError(f"{checked.out_of_order} events arrived out of order")
    if arrived != watcher.total:
        raise ConnectoryError(f"{watcher.total} events were announced and {arrived} arrived")
    note(f"All {arrived} events were delivered, and their signatures verified by the receiver.")
