import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.core.detection.engine import Output
from schemas.records import Alert, AuthorFlags, ChatMessage
from tests.unit.pipelines.core.detection.chat_records import (
    YOUNG_S,
    beat,
    in_order,
    newest,
    opened,
    raid_event,
    run,
    say,
    small_talk,
)

HOSTILE = {"attack.raid", "spam.links", "flood.account"}
INSULTS = ("you are a clown, quit already", "nobody likes you loser", "what a pathetic fraud, get out")
CHAT = ("rain", "the boss", "a door", "his cat", "my tea", "one level", "that song", "no key", "the map")
GUEST = AuthorFlags(first_message=True, account_age_s=400 * 24 * 3600)
FRESH = AuthorFlags(first_message=True, account_age_s=YOUNG_S)


def with_crowd(crowd: list[ChatMessage], end: int = 420) -> Output:
    """Five minutes of regulars, then a crowd beside them, then the end."""
    return run([*in_order(small_talk(0, end), crowd), beat(end, end, closing=True)])


def hostile(output: Output) -> set[str]:
    return {alert.kind for alert in output.alerts} & HOSTILE


def crowd(
    count: int, texts: tuple[str, ...], *, flags: AuthorFlags | None, over_s: float = 10
) -> list[ChatMessage]:
    return [
        say(300 + i * over_s / count, f"new{i}", texts[i % len(texts)], flags=flags) for i in range(count)
    ]


def test_small_talk_raises_nothing() -> None:
    assert with_crowd([]).alerts == []


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 60), st.floats(2, 20), st.sampled_from(INSULTS), st.sampled_from([FRESH, None]))
def test_newcomers_with_insults_are_a_raid(
    count: int, over_s: float, text: str, flags: AuthorFlags | None
) -> None:
    output = with_crowd(crowd(count, (text,), flags=flags, over_s=over_s))
    (raid,) = newest(output, "attack.raid")
    assert raid.authors >= min(count, 8)
    assert raid.detected_at - opened(output, "attack.raid")[0].started_at < 14_000
    assert str(raid.why["summary"])
    assert raid.evidence


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_insulting_newcomers_are_no_raid(count: int) -> None:
    assert not hostile(with_crowd(crowd(count, INSULTS, flags=FRESH)))


def test_regulars_who_quarrel_are_no_raid() -> None:
    lines = [say(300 + i, f"regular{i % 6}", INSULTS[i % 3]) for i in range(12)]
    assert "attack.raid" not in hostile(with_crowd(lines))


def test_a_bigger_raid_is_more_severe() -> None:
    small = opened(with_crowd(crowd(8, INSULTS, flags=FRESH)), "attack.raid")[0]
    large = newest(with_crowd(crowd(50, INSULTS, flags=FRESH)), "attack.raid")[0]
    assert (small.severity, large.severity) == ("medium", "critical")


def test_a_slow_drip_of_new_accounts_is_found() -> None:
    lines = [say(300 + i * 12, f"new{i}", INSULTS[i % 3], flags=FRESH) for i in range(18)]
    assert "attack.raid" in hostile(with_crowd(lines, end=600))


@settings(max_examples=15, deadline=None)
@given(st.integers(5, 60), st.booleans())
def test_an_announced_raid_of_greeting_guests_is_friendly(count: int, by_event: bool) -> None:
    bot = AuthorFlags(moderator=True)
    notice = (
        []
        if by_event
        else [say(299, "bot", "friend just raided the channel with 50 viewers! Say hi!", flags=bot)]
    )
    guests = crowd(
        count, ("hi from the raid", "hello everyone, nice to meet you", "love it here"), flags=GUEST
    )
    records = in_order(small_talk(0, 420), notice, guests)
    if by_event:
        at = next(i for i, record in enumerate(records) if record.author == "new0")
        output = run([*records[:at], raid_event(299, 50), *records[at:], beat(420, 420, closing=True)])
    else:
        output = run([*records, beat(420, 420, closing=True)])
    assert newest(output, "raid.friendly")
    assert not hostile(output)


def test_an_unannounced_crowd_of_guests_is_friendly_too() -> None:
    guests = crowd(20, ("hi from the raid", "hello everyone, nice to meet you"), flags=GUEST, over_s=25)
    output = with_crowd(guests)
    assert newest(output, "raid.friendly")
    assert not hostile(output)


def test_guests_who_paste_their_raid_line_are_no_attack() -> None:
    line = "cosmic raid cosmicWave we come in peace cosmicWave"
    guests = [say(300 + i / 2, f"new{i}", line, emotes=["cosmicWave"]) for i in range(20)]
    assert not hostile(with_crowd(guests))


def test_an_attack_right_after_a_raid_notice_is_still_found() -> None:
    bot = AuthorFlags(moderator=True)
    notice = [say(299, "bot", "friend just raided the channel with 50 viewers! Say hi!", flags=bot)]
    assert "attack.raid" in hostile(with_crowd([*notice, *crowd(20, INSULTS, flags=FRESH)]))


def test_copypasta_of_regulars_is_copypasta() -> None:
    text = "sir this is a rhythm game, please put the spoon down and return to the dance floor"
    lines = [say(300 + i, f"regular{i}", f"{text} {'!' * i}") for i in range(12)]
    output = with_crowd(lines)
    assert newest(output, "copypasta")[0].authors >= 10
    assert newest(output, "copypasta")[0].clusters
    assert not hostile(output)


@pytest.mark.parametrize("text", ["gg", "!join", "1", "KEKW KEKW", "lol"])
def test_keywords_polls_and_reactions_are_neither_copypasta_nor_attack(text: str) -> None:
    rng = random.Random(3)
    lines = [say(300 + rng.random() * 20, f"regular{i}", text) for i in range(60)]
    output = with_crowd(sorted(lines, key=lambda line: line.sent_at))
    assert not {alert.kind for alert in output.alerts} - {"hype"}


@settings(max_examples=15, deadline=None)
@given(st.integers(25, 60), st.floats(0.3, 1.2), st.booleans())
def test_one_account_that_does_not_stop_is_a_flood(count: int, pause: float, same: bool) -> None:
    lines = [
        say(300 + i * pause, "flooder", "look at my tape" if same else f"line number {i} of it")
        for i in range(count)
    ]
    (flood,) = newest(with_crowd(lines), "flood.account")
    assert flood.authors == 1
    assert flood.messages >= count - 1
    assert abs(flood.started_at - lines[0].sent_at) < 2_000


@settings(max_examples=15, deadline=None)
@given(st.floats(0.3, 1.0), st.sampled_from(["look at my tape", "KEKW", "."]))
def test_a_repeated_line_is_a_flood_within_seconds(pause: float, text: str) -> None:
    lines = [say(300 + i * pause, "flooder", text) for i in range(12)]
    (flood,) = newest(with_crowd(lines), "flood.account")
    assert flood.detected_at - lines[4].sent_at <= 3_000


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_a_talkative_regular_is_no_flood(seed: int) -> None:
    rng, at, lines = random.Random(seed), 300.0, list[ChatMessage]()
    for number in range(60):
        at += rng.uniform(1.8, 3.2)
        emote = rng.choice(["KEKW", "catJAM", "LUL", "Kappa", "PogChamp", "VoHiYo", "<3", "Clap"])
        emotes = number % 2 == 0
        lines.append(
            say(at, "regular1", emote if emotes else CHAT[number % len(CHAT)], emotes=[emote] * emotes)
        )
    assert not newest(with_crowd(lines), "flood.account")


def test_a_moderating_bot_and_gift_notices_are_no_flood() -> None:
    bot = AuthorFlags(moderator=True)
    answers = [say(300 + i / 2, "bot", f"answer number {i}", flags=bot) for i in range(30)]
    gifts = [
        say(330 + i / 5, "k.0123456789abcdef", f"@k_0123456789ab gifted a Tier 1 sub to @k_{i}!")
        for i in range(50)
    ]
    assert not with_crowd([*answers, *gifts]).alerts


@pytest.mark.parametrize(
    "text",
    [
        "buy viewers at https://boost.example/a{i}",
        "cheap viewers boost-now.example/{i}x",
        "go to boost (dot) example now",
    ],
)
def test_links_of_newcomers_are_spam(text: str) -> None:
    lines = [say(300 + i * 3, f"new{i % 5}", text.format(i=i), flags=FRESH) for i in range(10)]
    output = with_crowd(lines)
    (spam,) = newest(output, "spam.links")
    assert spam.authors == 5
    assert "attack.raid" not in hostile(output)


def test_two_newcomers_who_offer_the_same_are_enough() -> None:
    lines = [say(300 + i * 8, f"new{i}", f"cheap viewers for you at boost.example/{i}") for i in range(4)]
    (spam,) = newest(with_crowd(lines), "spam.links")
    assert spam.detected_at - lines[1].sent_at <= 3_000


def test_strangers_who_join_in_posting_clips_are_no_spam() -> None:
    clips = [say(300 + i * 4, f"new{i}", f"https://clips.example/{i}") for i in range(5)]
    assert not hostile(with_crowd(clips))
    spoken = [say(300 + i * 4, f"new{i}", f"{i} nice https://clips.example/{i}") for i in range(3)]
    known = [say(301 + i * 4, f"regular{i}", f"look https://clips.example/{i}") for i in range(3)]
    assert not hostile(with_crowd(sorted([*spoken, *known], key=lambda line: line.sent_at)))


def test_links_of_regulars_and_of_a_donation_bot_are_no_spam() -> None:
    shared = [say(300 + i * 4, f"regular{i}", f"look https://clips.example/{i}") for i in range(6)]
    bot = [say(100 + i * 30, "donations", f"thanks for {i}! https://tips.example/channel") for i in range(10)]
    assert not hostile(with_crowd([*shared, *bot]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 8), st.booleans())
def test_link_spam_is_found_however_it_is_paced_and_shared_out(seed: int, spammers: int, young: bool) -> None:
    rng = random.Random(seed)
    flags = FRESH if young else None
    lines = [
        say(300 + rng.random() * 45, f"new{i % spammers}", f"cheap viewers at boost.example/{i}", flags=flags)
        for i in range(3 * spammers)
    ]
    (spam,) = newest(with_crowd(sorted(lines, key=lambda line: line.sent_at)), "spam.links")
    assert spam.authors == spammers
    assert spam.messages == len(lines)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(5, 30))
def test_a_text_by_five_or_more_is_copypasta_in_any_order_and_with_any_ending(seed: int, people: int) -> None:
    rng = random.Random(seed)
    text = "sir this is a rhythm game, please put the spoon down and return to the dance floor"
    lines = [say(300 + rng.random() * 25, f"regular{i}", f"{text} {rng.choice(CHAT)}") for i in range(people)]
    (pasta,) = newest(with_crowd(sorted(lines, key=lambda line: line.sent_at)), "copypasta")
    assert pasta.authors >= 5


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(60, 200))
def test_a_surge_of_many_is_hype_and_its_lines_are_counted(seed: int, lines: int) -> None:
    rng = random.Random(seed)
    surge = [say(300 + rng.random() * 10, f"regular{i % 40}", rng.choice(CHAT)) for i in range(lines)]
    (hype,) = newest(with_crowd(sorted(surge, key=lambda line: line.sent_at)), "hype")
    assert hype.messages >= lines // 2
    assert hype.detected_at - surge[0].sent_at <= 15_000


def test_a_surge_of_regulars_is_hype() -> None:
    lines = [
        say(300 + i / 6, f"regular{i % 40}", ["wow", "nice", "what a play", "LETS GO"][i % 4])
        for i in range(90)
    ]
    (hype,) = newest(with_crowd(lines), "hype")
    assert hype.started_at >= lines[0].sent_at - 10_000
    assert float(hype.why["baseline_10s"]) < 10


def test_a_busy_beginning_is_no_hype() -> None:
    output = run([*small_talk(0, 120, every_s=0.1, people=200), beat(120, 120, closing=True)])
    assert not newest(output, "hype")


def test_an_episode_that_goes_on_is_one_and_ends_when_it_ends() -> None:
    lines = [say(300 + i, f"new{i}", INSULTS[i % 3], flags=FRESH) for i in range(60)]
    raids: list[Alert] = newest(with_crowd(lines, end=600), "attack.raid")
    assert len(raids) == 1
    assert raids[0].ended_at is not None
    assert abs(raids[0].ended_at - lines[-1].sent_at) < 3_000


@settings(max_examples=10, deadline=None)
@given(st.integers(7, 14), st.integers(0, 2))
def test_a_drip_is_found_within_ninety_seconds(every_s: int, polite: int) -> None:
    """One insult of an ever new account, each followed by some harmless newcomers."""
    lines = [
        say(
            300 + i * every_s + 2 * n,
            f"new{i}-{n}",
            "that was a nice song" if n else INSULTS[i % 3],
            flags=None,
        )
        for i in range(200 // every_s)
        for n in range(polite + 1)
    ]
    (raid,) = newest(with_crowd(lines, 560), "attack.raid")[:1]
    assert raid.detected_at - lines[0].sent_at <= 90_000


def test_a_chat_that_scolds_as_a_whole_is_no_raid_of_its_newcomers() -> None:
    scolded = [say(300 + i, f"regular{i}", f"garbage play number {i}") for i in range(12)]
    joined = [say(301 + i * 2, f"new{i}", f"garbage {i}") for i in range(6)]
    harmless = [say(300 + i, f"guest{i}", f"what a map {i}") for i in range(12)]
    assert "attack.raid" not in hostile(
        with_crowd(sorted([*scolded, *joined, *harmless], key=lambda line: line.sent_at))
    )


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_newcomers_without_anything_in_hand_are_no_attack(seed: int) -> None:
    rng = random.Random(seed)
    lines = [
        say(300 + rng.random() * 100, f"new{i}", f"{rng.choice(CHAT)} and {rng.choice(CHAT)}")
        for i in range(60)
    ]
    assert not hostile(with_crowd(sorted(lines, key=lambda line: line.sent_at)))


def test_a_drip_is_found_where_harmless_newcomers_outnumber_it() -> None:
    drip = [say(300.5 + i * 6, f"new{i}", f"{INSULTS[i % 3]} {i}", flags=GUEST) for i in range(20)]
    rng = random.Random(5)
    others = [
        say(
            302 + i * 3,
            f"guest{i}",
            " ".join("".join(rng.choices("bdfmnrt", k=6)) for _ in range(3)),
            flags=GUEST,
        )
        for i in range(45)
    ]
    lines = in_order(small_talk(0, 460), drip, others)
    found = opened(run([*lines, beat(460, 460, closing=True)]), "attack.raid")
    assert found
    assert found[0].detected_at - found[0].started_at < 90_000
    assert not hostile(run([*in_order(small_talk(0, 460), others), beat(460, 460, closing=True)]))
