"""What a person can do next: the one table below the command line that names commands.

Errors carry these texts as their `hint`. Another face may show its own way instead.
"""

from __future__ import annotations

LIST_INSTANCES = "`connect instances list` shows them"
LIST_DELIVERIES = "`connect deliveries list` shows them"
INSTALL_ELEMENT = "install the plugin that provides it with pip; `connect plugins` lists what is installed"
MEND_PLUGIN = "mend what it says; `connect plugins` says the same"
LOG_IN_AGAIN = "a person must log in again: connect instances reauth INSTANCE"
RESET_INSTEAD = "`connect cursor reset` starts again from what is there now"
REWIND_OR_RESET = "a rewind goes back; `connect cursor reset` can also go forward, and skips what lies between"
COMPARE_DATES = "compare updatedDateField and updatedDateFormat with what `connect explain` shows"
EXPLAIN_POLL = "`connect explain` shows what a poll asks and what is made of the answer"
EXPLAIN_RECORDS = (
    "`connect explain INSTANCE RESOURCE` on the sandbox shows what is asked, and what is made of each record"
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
    return f"`{log_in(instance_id)}` asks for it"


def consent(element_key: str) -> str:
    return f"`connect run {element_key}` opens the provider's consent page"


def element_keys(element_key: str) -> str:
    return f"`connect elements show {element_key}` lists the keys"


def allow_mass_delete(instance_id: int, resource: str) -> str:
    return f"if they were deleted indeed: connect instances allow-mass-delete {instance_id} {resource}"


def bring_code(callback_url: str) -> str:
    return f"use {callback_url}, or bring the code yourself with --code"
