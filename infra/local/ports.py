"""Taken ports, by the name of the part that wants them and the process that holds them."""

import errno
import socket
from dataclasses import dataclass

import psutil


class PortTakenError(RuntimeError):
    """A port that a part needs is held by another process."""


@dataclass(frozen=True)
class TakenPort:
    """A port that somebody else listens on.

    Attributes:
        name: What the stack needs it for.
        port: Its number.
        holder: `pid 12 (java -cp …)` where that can be known, else an empty text.
    """

    name: str
    port: int
    holder: str

    def __str__(self) -> str:
        return f"port {self.port} ({self.name}) is taken" + (f" by {self.holder}" if self.holder else "")


def taken(ports: dict[str, int]) -> list[TakenPort]:
    """Those of the named ports on loopback that cannot be bound."""
    return [TakenPort(name, port, holder(port)) for name, port in ports.items() if not is_free(port)]


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def holder(port: int) -> str:
    """The process that listens on a port, in words; empty where the system does not tell."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr
        if listens and tuple(connection.laddr)[1:] == (port,) and connection.pid:
            try:
                command = " ".join(psutil.Process(connection.pid).cmdline())
            except psutil.Error:
                command = ""
            return f"pid {connection.pid} ({command[:80]})"
    return ""
