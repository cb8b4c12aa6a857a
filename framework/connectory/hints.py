"""What a person can do next. Outside the command line, only this table names commands.

Errors carry these texts as their `hint`.
"""

from __future__ import annotations

LIST_INSTANCES = "`connect instances list` shows them"
LIST_DELIVERIES = "`connect deliveries list` shows them"
INSTALL_ELEMENT = "install the plugin that provides it with pip; `connect plugins` lists what is installed"
MEND_PLUGIN = "correct the problem that the message names; `connect plugins` shows it too"
LOG_IN_AGAIN = "a person must log in again with `connect instances reauth INSTANCE`"
RESET_INSTEAD = "`connect cursor reset` starts again from the current state"
REWIND_OR_RESET = (
    "a rewind only goes back; `connect cursor reset` can also go forward, and skips the changes in between"
)
COMPARE_DATES = "compare updatedDateField and updatedDateFormat with the records that `connect explain` shows"
EXPLAIN_POLL = "`connect explain` shows what a poll asks for and what happens to the answer"
EXPLAIN_RECORDS = (
    "`connect explain INSTANCE RESOURCE` on the sandbox shows what is asked for, and what happens to each record"
)
OTHER_HOME = "name another folder with --home or CONNECTORY_HOME"
START_ANEW = (
    "name another folder with --home or CONNECTORY_HOME, and create the instances again there; `connect instances list"
    " --json`, run with the version that wrote the store, shows them"
)
UPGRADE = "upgrade Connectory: pip install --upgrade connectory"


def log_in(instance_id: int) -> str:
    """The command that gives an instance a new login."""
    return f"connect instances reauth {instance_id}"


def log_in_to_resume(instance_id: int) -> str:
    return f"log in with `{log_in(instance_id)}`"


def consent(element_key: str) -> str:
    return f"`connect run {element_key}` opens the provider's consent page"


def element_keys(element_key: str) -> str:
    return f"`connect elements show {element_key}` lists the keys"


def allow_mass_delete(instance_id: int, resource: str) -> str:
    return f"if the objects were really deleted, run: connect instances allow-mass-delete {instance_id} {resource}"


def bring_code(callback_url: str) -> str:
    return f"use {callback_url}, or pass the code with --code"
