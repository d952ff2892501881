"""What the supervisor knows of a part."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

Probe = Callable[[], Awaitable[None]]
"""Returns when the part answers as it should; raises any exception that says why it does not."""


class UnknowableError(ConnectionError):
    """A part cannot be asked now, through no fault of its own: what answers for it is away."""


@dataclass(frozen=True)
class Part:
    """One process of the stack (with its children).

    Attributes:
        name: How people call it, `kafka`; also its log file.
        command: Program and arguments.
        probe: The real question to the running part.
        needs: Names of parts that must be healthy before this one is started.
        prepare: Done before each start, in a thread: write configuration, format storage. May raise.
        ended: Done after an orderly end, in a thread.
        environment: Variables beside those of the stack.
        ports: Names of its ports (see `Stack.ports`).
        address: Where people find it, for `status`.
        stop_grace_s: Seconds between SIGTERM and SIGKILL.
        working_folder: Folder it runs in.
        one_shot: It ends by itself; its exit status 0 is its health, and it is not restarted then.
    """

    name: str
    command: tuple[str, ...]
    probe: Probe
    needs: tuple[str, ...] = ()
    prepare: Callable[[], None] | None = None
    ended: Callable[[], None] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    address: str = ""
    stop_grace_s: float = 15.0
    working_folder: Path | None = None
    one_shot: bool = False
