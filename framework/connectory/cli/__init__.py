"""The command line `connect`: one file per noun. Heavy modules are imported only when a command runs."""

from __future__ import annotations


def main() -> None:
    import os
    import sys

    from .app import app
    from .output import OutputError, give_up_output, print_error

    # A stream that the parent process closed is None; write to nowhere instead.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    try:
        app(prog_name="connect")
    except OSError as error:
        # Click prints the help by itself, outside of any command.
        give_up_output()
        print_error(OutputError(error), as_json=False)
        sys.exit(1)
