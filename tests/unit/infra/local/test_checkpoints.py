import os
from pathlib import Path

from infra.local.checkpoints import forget, forget_others, newest, under_way


def checkpoint(folder: Path, job: str, job_id: str, number: int, *, at: float, complete: bool = True) -> Path:
    path = folder / job / job_id / f"chk-{number}"
    path.mkdir(parents=True)
    if complete:
        (path / "_metadata").touch()
        os.utime(path / "_metadata", (at, at))
    return path


def test_no_checkpoint(tmp_path):
    assert newest(tmp_path, "score") is None


def test_numbers_are_compared_as_numbers(tmp_path):
    checkpoint(tmp_path, "score", "aa", 9, at=100)
    last = checkpoint(tmp_path, "score", "aa", 10, at=100)
    assert newest(tmp_path, "score") == last


def test_a_later_submission_goes_before_a_higher_number(tmp_path):
    checkpoint(tmp_path, "score", "aa", 500, at=100)
    last = checkpoint(tmp_path, "score", "bb", 1, at=200)
    assert newest(tmp_path, "score") == last


def test_an_incomplete_checkpoint_does_not_count(tmp_path):
    whole = checkpoint(tmp_path, "score", "aa", 1, at=100)
    checkpoint(tmp_path, "score", "aa", 2, at=200, complete=False)
    assert newest(tmp_path, "score") == whole


def test_jobs_are_kept_apart(tmp_path):
    checkpoint(tmp_path, "detect", "aa", 7, at=300)
    mine = checkpoint(tmp_path, "score", "bb", 1, at=100)
    assert newest(tmp_path, "score") == mine


def test_an_unreadable_checkpoint_is_skipped(tmp_path):
    older = checkpoint(tmp_path, "score", "aa", 1, at=100)
    broken = checkpoint(tmp_path, "score", "aa", 2, at=200)
    assert newest(tmp_path, "score", {broken}) == older


def test_earlier_submissions_are_forgotten_only_once_the_new_one_has_a_checkpoint(tmp_path):
    old = checkpoint(tmp_path, "score", "old", 5, at=100)
    begun = checkpoint(tmp_path, "score", "new", 1, at=200, complete=False)
    forget_others(tmp_path, "score", "new")
    assert old.exists()
    (begun / "_metadata").touch()
    forget_others(tmp_path, "score", "new")
    assert not old.parent.exists()
    assert newest(tmp_path, "score") == begun


def test_forget_drops_all_of_one_job(tmp_path):
    checkpoint(tmp_path, "score", "aa", 1, at=100)
    other = checkpoint(tmp_path, "detect", "aa", 1, at=100)
    forget(tmp_path, "score")
    assert newest(tmp_path, "score") is None
    assert newest(tmp_path, "detect") == other


def test_a_checkpoint_is_under_way_from_its_folder_to_its_metadata(tmp_path):
    assert not under_way(tmp_path, "score", "aa")
    checkpoint(tmp_path, "score", "aa", 9, at=100)
    assert not under_way(tmp_path, "score", "aa")
    begun = checkpoint(tmp_path, "score", "aa", 10, at=200, complete=False)
    assert under_way(tmp_path, "score", "aa")
    assert not under_way(tmp_path, "score", "bb")
    (begun / "_metadata").touch()
    assert not under_way(tmp_path, "score", "aa")
