"""The rules of today's chat bots, for comparison: fixed limits per user and per text, and a list of words."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Final

from connectors.simulator.recording import Line
from infra.detection_bench.scoring import Raised
from pipelines.core.detection import hostile_words

REPEATS: Final = 3
"""Equal lines of one user within SPAN_MS."""
SPAN_MS: Final = 30_000
RATE: Final = 7
"""Lines of one user within RATE_MS."""
RATE_MS: Final = 10_000
SAME_TEXT_USERS: Final = 5
SAME_TEXT_MS: Final = 10_000
CAPS_SHARE: Final = 0.7
CAPS_LETTERS: Final = 15
HOLD_MS: Final = 30_000
"""Violations within this belong to one episode."""
_WORDS: Final = re.compile(
    r"\b(?:" + "|".join(re.escape(stem.strip()) for stem in hostile_words.BEGINNINGS) + ")", re.IGNORECASE
)


def naive_alerts(lines: Iterable[Line]) -> list[Raised]:
    """Episodes of rule violations per stream, all as `attack.raid`: such bots tell no kinds apart."""
    by_user: dict[tuple[str, str], deque[tuple[int, str]]] = defaultdict(deque)
    by_text: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    open_episodes: dict[str, list[int]] = {}
    raised: list[Raised] = []
    for line in lines:
        if not _violates(line, by_user[line.stream, line.author], by_text[line.stream, line.text]):
            continue
        at = line.offset_ms
        episode = open_episodes.get(line.stream)
        if episode is not None and at - episode[1] <= HOLD_MS:
            episode[1] = at
            continue
        if episode is not None:
            raised.append(_raised(line.stream, episode))
        open_episodes[line.stream] = [at, at]
    return raised + [_raised(stream, episode) for stream, episode in open_episodes.items()]


def _violates(line: Line, said: deque[tuple[int, str]], users: dict[str, int]) -> bool:
    if "moderator/1" in line.badges:
        return False
    at = line.offset_ms
    said.append((at, line.text))
    while said[0][0] < at - SPAN_MS:
        said.popleft()
    users[line.author] = at
    letters = [letter for letter in line.text if letter.isalpha()]
    return (
        sum(text == line.text for _, text in said) >= REPEATS
        or sum(when > at - RATE_MS for when, _ in said) >= RATE
        or sum(when > at - SAME_TEXT_MS for when in users.values()) >= SAME_TEXT_USERS
        or (len(letters) >= CAPS_LETTERS and sum(map(str.isupper, letters)) >= CAPS_SHARE * len(letters))
        or bool(_WORDS.search(line.text))
    )


def _raised(stream: str, episode: list[int]) -> Raised:
    return Raised("attack.raid", (stream,), episode[0], episode[0], episode[1])
