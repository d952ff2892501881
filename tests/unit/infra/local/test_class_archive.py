from pathlib import Path

from infra.local.class_archive import ClassArchive
from tests.unit.infra.local.fake_parts import fake_stack

COMMAND = ("java", "-cp", "x", "Main")


def written(archive: ClassArchive) -> Path:
    """The file that the JVM is asked to write."""
    (option,) = [o for o in archive.options() if o.startswith("-XX:ArchiveClassesAtExit=")]
    return Path(option.split("=", 1)[1])


def archive_of(home, *command: str, **settings: bool) -> ClassArchive:
    return ClassArchive(
        fake_stack(home, **({"class_archives": True} | settings)), "kafka", command or COMMAND
    )


def test_the_first_life_writes_the_archive_and_the_next_uses_it(tmp_path):
    first = archive_of(tmp_path)
    first.prepare()
    assert first.missing
    with written(first).open("w") as file:
        file.write("classes")
    first.keep()
    second = archive_of(tmp_path)
    assert not second.missing
    assert any(option.startswith("-XX:SharedArchiveFile=") for option in second.options())


def test_what_a_killed_jvm_left_is_not_used(tmp_path):
    first = archive_of(tmp_path)
    first.prepare()
    written(first).touch()
    second = archive_of(tmp_path)
    second.prepare()
    second.keep()
    assert archive_of(tmp_path).missing


def test_another_command_has_another_archive_and_drops_the_old_one(tmp_path):
    for command in (COMMAND, (*COMMAND, "-Xmx1g")):
        archive = archive_of(tmp_path, *command)
        archive.prepare()
        written(archive).touch()
        archive.keep()
    assert len(list((tmp_path / "classes").glob("*.jsa"))) == 1


def test_switched_off(tmp_path):
    archive = archive_of(tmp_path, class_archives=False)
    assert archive.options() == ()
    assert not archive.missing
