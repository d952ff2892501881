import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.detection import lines
from pipelines.core.detection.lines import prepare, to_line, to_lines
from pipelines.core.detection.sketch import SeenAuthors
from pipelines.core.fingerprint import stable_hash
from schemas.records import AuthorFlags
from tests.unit.pipelines.core.detection.chat_records import say


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_prepared(text: str) -> None:
    prepared = prepare(text)
    assert len(prepared.signature) in (0, 64)
    assert not (prepared.flags & lines.LOW_CONTENT and prepared.signature)


@pytest.mark.parametrize(
    "text",
    [
        "https://spam.example/x",
        "www.spam.com",
        "spam-now.example/abc",
        "spam (dot) example",
        "join discord.gg/abc",
    ],
)
def test_links_in_many_spellings(text: str) -> None:
    assert prepare(text).flags & lines.LINK


@pytest.mark.parametrize("text", ["well...maybe", "3.5 is enough", "e.g. this", "and/or", "gg.wp"])
def test_dots_that_are_no_links(text: str) -> None:
    assert not prepare(text).flags & lines.LINK


@pytest.mark.parametrize(
    "text",
    [
        "you are а clоwn and a lоsеr",
        "y o u are a c l o w n",
        "cl\u200bown go a\u200bway",
        "you 1d10t g3t l0st",
    ],
)
def test_disguised_letters(text: str) -> None:
    assert prepare(text).flags & lines.OBFUSCATED


@pytest.mark.parametrize(
    "text",
    [
        "nooooo wayyyyy that was cloooose",
        "qué increíble está esto",
        "мой ёлочный йогурт",
        "gg wp 10/10",
        "PS5 and mp3",
        "𝓕𝓞𝓧 𝓕𝓤𝓝 𝓕𝓡𝓘𝓓𝓐𝓨 𝒾𝓈 𝒽𝑒𝓇𝑒",
    ],
)
def test_plain_writing_is_no_disguise(text: str) -> None:
    assert not prepare(text).flags & lines.OBFUSCATED


@pytest.mark.parametrize(
    "text",
    [
        "57 raiders from somebody have joined! ",
        "u88a9ea9cf8ee just raided the channel with 83 viewers! Say hi!",
        "Рейд от somebody: 50 зрителей",
        "Raid von somebody mit 30 Leuten",
    ],
)
def test_raid_announcements_of_a_bot(text: str) -> None:
    assert to_line(say(0, "bot", text, flags=AuthorFlags(moderator=True))).flags & lines.NOTICE


@pytest.mark.parametrize("text", ["welcome raiders!", "we raided her 3 times", "raid 100 boss next"])
def test_talk_of_raids_is_no_announcement(text: str) -> None:
    assert not to_line(say(0, "viewer", text)).flags & lines.NOTICE


def test_emotes_do_not_count_as_text() -> None:
    line = to_line(say(0, "a", "catJAM catJAM catJAM", emotes=["catJAM"]))
    assert line.flags & lines.LOW_CONTENT
    assert line.key == to_line(say(0, "b", "catJAM", emotes=["catJAM"])).key
    assert line.key != to_line(say(0, "b", "KEKW", emotes=["KEKW"])).key


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=400))
def test_whom_the_sketch_saw_is_never_new_again(authors: list[str]) -> None:
    seen = SeenAuthors()
    for author in authors:
        seen.add(stable_hash(author))
    assert all(seen.holds(stable_hash(author)) for author in authors)
    assert not any(seen.add(stable_hash(author)) for author in authors)


def test_the_sketch_stays_small_and_rarely_takes_a_newcomer_for_known() -> None:
    seen = SeenAuthors()
    for number in range(30_000):
        seen.add(stable_hash(f"author{number}"))
    wrong = sum(seen.holds(stable_hash(f"other{number}")) for number in range(2_000))
    assert wrong < 80
    assert sum(map(len, seen.generations)) <= 3 * 32 * 1024


def test_texts_prepared_together_or_in_parts_say_the_same() -> None:
    texts = [f"{number} words in a {'very ' * number}long line" for number in range(300)]
    messages = [say(at, "a", text) for at, text in enumerate(texts)]
    assert sum(map(len, texts)) > lines.PASS_CODE_POINTS
    assert [line.key for line in to_lines(messages)] == [lines._prepare([text])[0].key for text in texts]
    assert len({line.key for line in to_lines(messages)}) > 200
