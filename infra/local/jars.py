"""The pinned jars: copied by Maven once per version of `infra/flink/pom.xml`."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from infra.local.settings import ROOT, Stack

POM = ROOT / "infra" / "flink" / "pom.xml"
STAMP = "pom.sha256"


class JarsError(RuntimeError):
    """The jars are not there and could not be fetched."""


def pom_hash() -> str:
    """What the stamp of complete jars says."""
    return hashlib.sha256(POM.read_bytes()).hexdigest()


def complete(jars: Path) -> bool:
    """Whether the jars of the current pom are there."""
    stamp = jars / STAMP
    return (
        stamp.is_file()
        and stamp.read_text(encoding="utf-8").strip() == pom_hash()
        and any((jars / "kafka").glob("kafka_2.13-*.jar"))
        and any((jars / "flink").glob("*.jar"))
    )


def ensure_jars(stack: Stack, say: Callable[[str], None] = lambda _: None) -> bool:
    """Fetch the jars where they are missing or of another version; returns whether Maven ran.

    Raises:
        JarsError: Maven is missing or failed; the text has its last words and the command to try.
    """
    if complete(stack.jars):
        return False
    if shutil.which("mvn") is None:
        raise JarsError("Maven is missing: ./pulse setup installs it (apt-get install maven)")
    say("fetching the jars of Kafka and of Flink's connector (45 MB)")
    for folder in ("kafka", "flink"):
        shutil.rmtree(stack.jars / folder, ignore_errors=True)
    command = ["mvn", "-q", "-B", "-f", str(POM), "generate-resources", f"-Dpulse.jars={stack.jars}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise JarsError(f"Maven failed; try again with: {' '.join(command)}\n{words}")
    (stack.jars / STAMP).write_text(pom_hash() + "\n", encoding="utf-8")
    return True


def main() -> int:
    """`python -m infra.local.jars`: fetch what is missing; says what it does on stderr."""
    try:
        ensure_jars(Stack(), lambda text: print(f"pulse: {text}", file=sys.stderr))  # noqa: T201
    except JarsError as error:
        print(f"pulse: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
