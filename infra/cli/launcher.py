"""Hand a command to the launcher `./pulse`, which installs what the command line itself cannot."""

import os
import sys

from infra.local.settings import ROOT

SET_UP = "PULSE_SET_UP"
"""Set by the launcher when it hands over: everything was installed or checked."""


def through_launcher(command: str) -> None:
    """Replace this process by the launcher with the same arguments, unless it was the launcher that called.

    In an installation without a checkout there is no launcher: then nothing happens.
    """
    launcher = ROOT / "pulse"
    if os.environ.get(SET_UP) or not launcher.is_file():
        return
    arguments = sys.argv[sys.argv.index(command) + 1 :] if command in sys.argv else []
    os.execv("/bin/sh", ["sh", str(launcher), command, *arguments])
