"""Where the keys of pseudonyms live, one a workspace: a file for its owner alone, or the environment."""

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from connectors.core.pseudonyms import Pseudonyms

ENVIRONMENT: Final = "PULSE_PSEUDONYM_KEY"
_KEY_BYTES: Final = 32
_KID_HEX: Final = 6
_WORKSPACE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")


class PseudonymKeyError(ValueError):
    """A key that cannot be used; the message says why, without the key."""


def load_pseudonyms(
    workspace: str, platform: str, home: Path, environment: Mapping[str, str] = os.environ
) -> Pseudonyms:
    """The pseudonyms of a workspace on a platform.

    The key comes from PULSE_PSEUDONYM_KEY (one secret for all workspaces, at least 16 bytes; each workspace's
    key is derived from it), else from `secrets/pseudonyms-<workspace>.key` under `home`, which is made with a
    random key and mode 0600 where it is missing. The key id follows from the key.

    Raises:
        PseudonymKeyError: the workspace's name cannot be a file's, or the key is too short or not hex.
        OSError: the file cannot be read or made.
    """
    if not _WORKSPACE.fullmatch(workspace):
        raise PseudonymKeyError(f"workspace `{workspace}`: only letters, digits, _ and -, at most 63")
    if secret := environment.get(ENVIRONMENT, ""):
        if len(secret.encode()) < 16:
            raise PseudonymKeyError(f"{ENVIRONMENT} must have at least 16 bytes")
        key = hmac.digest(secret.encode(), f"pseudonyms:{workspace}".encode(), "sha256")
    else:
        key = _key_from_file(home / "secrets" / f"pseudonyms-{workspace}.key")
    kid = "k" + hashlib.sha256(b"kid:" + key).hexdigest()[:_KID_HEX]
    return Pseudonyms(kid, key, platform)


def _key_from_file(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # written aside and linked, so that of two processes starting at once both read one whole key
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(_KEY_BYTES) + "\n")
            with contextlib.suppress(FileExistsError):  # another process was first; its key counts
                path.hardlink_to(draft)
        finally:
            draft.unlink()
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        raise PseudonymKeyError(f"{path} does not hold a key in hex") from None
    if len(key) < _KEY_BYTES:
        raise PseudonymKeyError(f"{path} holds less than {_KEY_BYTES} bytes")
    return key
