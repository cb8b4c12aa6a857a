"""A shell as somebody has it who has just begun: no environment yet, and the framework in a wheel."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path


class Shell:
    """Runs commands one after the other, as a terminal does: where `cd` and `activate` have led, the next one goes on.

    `pip install connectory` takes the framework's wheel.
    """

    def __init__(self, folder, wheel):
        self.directory = folder
        self._state = folder / ".shell"
        (folder / ".constraints").write_text(f"connectory @ file://{wheel}\n")
        python = Path(sys.executable).resolve().parent
        kept = {
            name: os.environ[name] for name in os.environ if name not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
        }
        self.environment = kept | {
            "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CONSTRAINT": str(folder / ".constraints"),
            "CONNECTORY_HOME": str(folder / ".home"),
        }

    def try_to(self, command):
        """The finished process of a command."""
        script = (
            f'{command}\nstatus=$?\npwd > {shlex.quote(str(self._state))}\necho "$PATH" >> {self._state}\nexit $status'
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        directory, path = self._state.read_text().splitlines()
        self.directory, self.environment = Path(directory), self.environment | {"PATH": path}
        return done

    def run(self, command, *, whole=False):
        """What a command prints, as a `whole` with errors and notes before it; it must do well."""
        done = self.try_to(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stderr + done.stdout if whole else done.stdout
