"""Dead letters of live platforms hold names: their bytes leave the connector encrypted."""

import contextlib
import os
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet

SEALED: Final = b"fernet:"
"""What sealed bytes begin with."""


class Sealer:
    """Encrypts with one key (Fernet: AES-128-CBC and HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def seal(self, raw: bytes) -> bytes:
        """The bytes, readable for the key's owner only."""
        return SEALED + self._fernet.encrypt(raw)

    def open(self, sealed: bytes) -> bytes:
        """The original bytes.

        Raises:
            ValueError: these bytes are not sealed.
            cryptography.fernet.InvalidToken: they were sealed with another key.
        """
        if not sealed.startswith(SEALED):
            raise ValueError("these bytes are not sealed")
        return self._fernet.decrypt(sealed.removeprefix(SEALED))


def load_sealer(home: Path) -> Sealer:
    """The sealer with the key in `secrets/dead-letters.key` under `home`, made (mode 0600) where missing.

    Raises:
        OSError: the file cannot be read or made.
        ValueError: it does not hold a key.
    """
    path = home / "secrets" / "dead-letters.key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
        with contextlib.suppress(FileExistsError):  # another process was first; its key counts
            path.hardlink_to(draft)
        draft.unlink()
    return Sealer(path.read_bytes().strip())
