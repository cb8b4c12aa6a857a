"""The command line `connect`: one file per noun. What is heavy is imported when a command runs, not before."""

from __future__ import annotations


def main() -> None:
    import os
    import sys

    from .app import app
    from .output import OutputError, give_up_output, print_error

    # Closed by whoever started us: then nobody wants it.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    try:
        app(prog_name="connect")
    except OSError as error:
        # The help, which is not printed by a command.
        give_up_output()
        print_error(OutputError(error), as_json=False)
        sys.exit(1)
