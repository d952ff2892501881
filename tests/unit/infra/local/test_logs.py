from infra.local.logs import rotate, tail
from infra.local.watch import pause_s


def test_tail_of_a_missing_log_is_empty(tmp_path):
    assert tail(tmp_path / "none.log") == ""


def test_tail_gives_the_last_lines(tmp_path):
    log = tmp_path / "part.log"
    log.write_text("\n".join(str(number) for number in range(1000)))
    assert tail(log, lines=2) == "998\n999"


def test_rotation_empties_a_large_log_under_a_process_that_appends(tmp_path):
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 2**20)
        rotate(tmp_path, megabytes=1)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "part.log.1").stat().st_size == 2**20


def test_rotation_keeps_three_and_leaves_small_logs(tmp_path):
    log = tmp_path / "part.log"
    for number in range(5):
        log.write_bytes(bytes([number]) * 2**20)
        rotate(tmp_path, megabytes=1)
    log.write_bytes(b"small")
    rotate(tmp_path, megabytes=1)
    assert log.read_bytes() == b"small"
    assert sorted(path.name for path in tmp_path.glob("part.log.*")) == [f"part.log.{n}" for n in (1, 2, 3)]
    assert (tmp_path / "part.log.1").read_bytes()[0] == 4


def test_pauses_grow_and_are_bounded():
    assert [pause_s(failures, 3.0) for failures in range(6)] == [0.0, 0.5, 1.0, 2.0, 3.0, 3.0]
    assert pause_s(5000, 3.0) == 3.0
