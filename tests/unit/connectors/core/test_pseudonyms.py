import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.core.pseudonym_keys import ENVIRONMENT, PseudonymKeyError, load_pseudonyms
from connectors.core.pseudonyms import Pseudonyms

KEY = bytes(range(32))
names = st.text(st.characters(categories=("L", "Nd"), include_characters="_"), min_size=1, max_size=25)


def _pseudonyms(platform: str = "twitch") -> Pseudonyms:
    return Pseudonyms("k1", KEY, platform)


def test_author_is_key_id_and_hmac_sha256() -> None:
    expected = hmac.new(KEY, b"twitch:alice", hashlib.sha256).hexdigest()[:32]
    assert _pseudonyms().author("Alice") == f"k1.{expected}"


def test_nobody_stays_nobody() -> None:
    assert _pseudonyms().author("") == ""


def test_platforms_and_keys_do_not_meet() -> None:
    assert _pseudonyms("twitch").author("bob") != _pseudonyms("youtube").author("bob")
    assert _pseudonyms().author("bob") != Pseudonyms("k1", KEY[::-1], "twitch").author("bob")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@Alice hi", "{alice} hi"),
        ("hi @alice, @ALICE!", "hi {alice}, {alice}!"),
        ("hi @alice.", "hi {alice}."),
        ("mail a@alice.org", "mail a@alice.org"),
        ("@", "@"),
        ("who is alice? alice2 is", "who is {alice}? alice2 is"),
        ("Alice: gg", "{alice}: gg"),
        ("lol bob", "lol bob"),  # known, but short and of letters: words of everybody
        ("x9_ is here", "{x9_} is here"),
        ("@unknown_one", "{unknown_one}"),
        ("u15a669084d09 is now live!", "{u15a669084d09} is now live!"),
        ("@소니쇼 안녕", "{소니쇼} 안녕"),
    ],
)
def test_names_in_a_text(text: str, expected: str) -> None:
    pseudonyms = _pseudonyms()
    known = {"alice", "lol", "bob", "x9_", "u15a669084d09"}
    names = ("alice", "x9_", "unknown_one", "u15a669084d09", "소니쇼")
    wanted = expected.format_map({name: pseudonyms.mention(name) for name in names})
    assert pseudonyms.text(text, known) == wanted


def test_emotes_are_no_names() -> None:
    pseudonyms = _pseudonyms()
    assert (
        pseudonyms.text("Kappa1 and @Kappa1", {"kappa1"}, keep={"Kappa1", "@Kappa1"}) == "Kappa1 and @Kappa1"
    )


def test_a_mention_begins_like_the_authors_pseudonym() -> None:
    pseudonyms = _pseudonyms()
    kid, digest = pseudonyms.author("alice").split(".")
    assert pseudonyms.mention("alice") == f"@{kid}_{digest[:12]}"


@given(names)
def test_equal_names_give_equal_pseudonyms_and_never_show(name: str) -> None:
    first, second = _pseudonyms(), _pseudonyms()
    assert first.author(name) == second.author(name) == first.author(name.casefold())
    text = first.text(f"hello @{name} !", {name.casefold()})
    assert text == f"hello {first.mention(name)} !"
    assert name not in text.replace(first.mention(name), "").split()


@given(st.text(max_size=80), st.sets(names, max_size=3))
def test_any_text_is_replaced_in_a_stable_way(text: str, known: set[str]) -> None:
    folded = {name.casefold() for name in known}
    assert _pseudonyms().text(text, folded) == _pseudonyms().text(text, folded)


def test_the_key_shows_nowhere() -> None:
    assert KEY.hex() not in repr(_pseudonyms())
    assert repr(KEY) not in repr(_pseudonyms())


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Pseudonyms("k1", b"short", "twitch")


def test_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_pseudonyms("default", "replay", tmp_path, {})
    path = tmp_path / "secrets" / "pseudonyms-default.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    again = load_pseudonyms("default", "replay", tmp_path, {})
    assert (again.kid, again.author("a")) == (first.kid, first.author("a"))


def test_workspaces_have_keys_of_their_own(tmp_path: Path) -> None:
    for environment in ({}, {ENVIRONMENT: "a secret of sixteen bytes"}):
        one, two = (load_pseudonyms(name, "replay", tmp_path, environment) for name in ("one", "two"))
        assert one.kid != two.kid
        assert one.author("bob").split(".")[1] != two.author("bob").split(".")[1]


def test_key_from_the_environment_needs_no_file(tmp_path: Path) -> None:
    environment = {ENVIRONMENT: "a secret of sixteen bytes"}
    assert load_pseudonyms("w", "replay", tmp_path, environment).kid.startswith("k")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "zz", "abcd"])
def test_a_bad_key_file_is_refused_without_its_content(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets" / "pseudonyms-w.key"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(PseudonymKeyError) as caught:
        load_pseudonyms("w", "replay", tmp_path, {})
    assert not content or content not in str(caught.value).replace(str(path), "")


@pytest.mark.parametrize("workspace", ["", "../up", "a/b", "x" * 80])
def test_workspace_names_are_file_names(tmp_path: Path, workspace: str) -> None:
    with pytest.raises(PseudonymKeyError, match="letters, digits"):
        load_pseudonyms(workspace, "replay", tmp_path, {})


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PseudonymKeyError, match="16 bytes"):
        load_pseudonyms("w", "replay", tmp_path, {ENVIRONMENT: "short"})
