"""The whole way from recorded chat to proposals, on training streams alone."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from pipelines.core.text.emotes import PARTS
from serving.scorer.backend import ChatModel
from serving.training.datasets import TRAIN
from serving.training.emotes.evidence import gather
from serving.training.emotes.logs import log_files, read_lines
from serving.training.emotes.marking import group_of, mark, scored
from serving.training.emotes.names import canonical_name, emote_names, listed_names, name_parts
from serving.training.emotes.proposals import Proposal, propose

_FEWEST_EMOTES: Final = 3
"""Different emotes that an ending must have."""


class Learned(NamedTuple):
    """Proposals, most lines first."""

    names: list[Proposal]
    endings: list[Proposal]


def learn(data: Path, scorer: ChatModel, report: Callable[[str], None] = lambda stage: None) -> Learned:
    """Learn from the training streams of every recording in the shared data folder `data`.

    Raises:
        FileNotFoundError: If there are no recordings.
    """
    files = log_files(data)
    if not files:
        raise FileNotFoundError(f"no recordings in {data / 'logs'}")
    report("reading")
    lines = [line for file in files for line in read_lines(file, TRAIN)]
    names = emote_names(lines, listed_names(data / "lists/twitch_emote_freq.tsv"))
    marked = mark(lines, names)
    report(f"scoring {len(marked):,} lines")
    scores = scored(scorer, marked)
    report("counting")
    ends = {canonical_name(name): endings_of(name) for name in names}
    counts = Counter(end for of_name in ends.values() for end in of_name)
    endings = {
        name: [end for end in of_name if counts[end] >= _FEWEST_EMOTES] for name, of_name in ends.items()
    }
    seen = gather(marked, scores, lambda name: (name,))
    groups = {name: group for name in seen if (group := group_of(name))}
    return Learned(
        propose(seen, groups),
        propose(gather(marked, scores, lambda name: endings[name]), PARTS),
    )


def endings_of(name: str) -> list[str]:
    """The last part of a CamelCase name and the last two together, where a prefix is left before them."""
    parts = name_parts(name)
    ends = ["".join(parts[-count:]) for count in (1, 2) if count < len(parts)]
    return [end for end in ends if len(end) >= 2]
