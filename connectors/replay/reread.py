"""Dead letters of replayed files, read again in their place of the run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from connectors.core.clock import SystemClock
from connectors.core.pseudonym_keys import PseudonymKeyError, load_pseudonyms
from connectors.replay.records import RecordingError, open_timeline
from connectors.replay.run_state import RunStates
from connectors.replay.spool import Spool
from schemas.records import ChatMessage, DeadLetter


def reread(
    states: RunStates, run_id: str, letters: Sequence[DeadLetter], home: Path
) -> Iterator[tuple[DeadLetter, ChatMessage | None, str]]:
    """For each letter the chat message that its line is now, or null and why it is none still.

    The run's files are read again as a whole: only they tell where a line lies in time, and who the authors
    are whose names have to be kept out of its text.

    Args:
        states: of all runs.
        run_id: the run that the letters belong to.
        letters: dead letters of lines of files.
        home: the folder with the pseudonym keys.
    """
    wanted = {(letter.partition, letter.position): letter for letter in letters}
    try:
        state = states.load(run_id)
        pseudonyms = load_pseudonyms(state.workspace, "replay", home)
        if pseudonyms.kid != state.kid:
            raise RecordingError("the pseudonym key has changed since that replay")
        with Spool() as spool:
            timeline = open_timeline(
                spool,
                state.paths,
                run_id=run_id,
                started_at_ms=state.started_at_ms,
                pseudonyms=pseudonyms,
                workspace=state.workspace,
                limit=state.limit,
            )
            for at, record in timeline.lines(set(wanted), SystemClock().now_ms):
                letter = wanted.pop(at)
                if isinstance(record, DeadLetter):
                    yield letter, None, f"{record.error_class}: {record.error}"
                else:
                    yield letter, record, ""
    except (RecordingError, PseudonymKeyError, OSError) as error:
        for letter in wanted.values():
            yield letter, None, str(error)
        return
    for letter in wanted.values():
        yield letter, None, f"{letter.source} has no such line"
