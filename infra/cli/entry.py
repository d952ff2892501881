"""Where the installed `pulse` begins: Ctrl-C while Python still imports ends it without a traceback."""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> None:
    """Import the command line, then run it with Python's own handling of Ctrl-C."""
    from infra.cli.main import main as run

    signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
