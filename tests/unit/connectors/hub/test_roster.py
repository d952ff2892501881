from connectors.core.live import Unheard
from connectors.hub.assignment import owner_of
from connectors.hub.roster import DEAD_AFTER_MS, Key, Roster
from schemas.records import SourceStatus
from tests.unit.connectors.hub.fakes import NOW, Topics

ONE = Key("default", "twitch:one")


def status(heard_at: int | None = NOW, state: str = "live") -> SourceStatus:
    return SourceStatus(channel="twitch:one", state=state, heard_at=heard_at)  # type: ignore[arg-type]


def roster(topics: Topics) -> Roster:
    made = Roster()
    for entry in topics.entries:
        made.take(*entry)
    return made


def test_the_newest_record_of_a_channel_counts() -> None:
    topics = Topics()
    topics.list_channel("twitch:one")
    topics.list_channel("twitch:two")
    topics.unlist("twitch:two")
    topics.unlist("twitch:never")
    assert list(roster(topics).channels) == [ONE]


def test_who_gives_no_sign_by_the_broker_s_clock_is_dead() -> None:
    topics = Topics()
    topics.beat("a")
    topics.now_ms += DEAD_AFTER_MS - 1
    topics.beat("b")
    assert roster(topics).alive() == ["a", "b"]
    topics.now_ms += 1
    topics.beat("b")
    assert roster(topics).alive() == ["b"]
    topics.beat("a")
    topics.beat("b", phase="left")
    assert roster(topics).alive() == ["a"]


def test_a_channel_that_was_never_heard_has_no_gap() -> None:
    topics = Topics()
    topics.list_channel("twitch:one")
    topics.beat("a")
    assert roster(topics).unheard(ONE, besides="a") is None


def test_the_last_word_of_the_dead_is_where_the_gap_begins() -> None:
    topics = Topics()
    topics.list_channel("twitch:one")
    topics.beat("older", status(NOW + 100))
    topics.beat("newer", status(NOW + 300))
    topics.beat("lost in the same way", status(None))
    topics.now_ms += DEAD_AFTER_MS
    topics.beat("me")
    assert roster(topics).unheard(ONE, besides="me") == Unheard(NOW + 300, "process_lost")


def test_one_that_left_in_order_is_told_apart() -> None:
    topics = Topics()
    topics.list_channel("twitch:one")
    topics.beat("a", status(NOW + 1), phase="left")
    assert roster(topics).unheard(ONE, besides="me") == Unheard(NOW + 1, "process_restarted")


def test_no_gap_while_somebody_hears_or_from_before_the_channel_was_put_back_on_the_list() -> None:
    topics = Topics()
    topics.list_channel("twitch:one")
    topics.beat("a", status())
    assert roster(topics).unheard(ONE, besides="me") is None
    topics.beat("a", status(), phase="left")
    topics.list_channel("twitch:one", added_at=NOW + 1)
    assert roster(topics).unheard(ONE, besides="me") is None


def test_one_that_is_leaving_owns_nothing_but_hears_on() -> None:
    topics = Topics()
    topics.list_channel("twitch:one")
    topics.beat("a", status(), phase="leaving")
    topics.beat("me")
    known = roster(topics)
    assert known.alive() == ["me"]
    assert known.unheard(ONE, besides="me") is None
    assert known.status(ONE) == ("a", status())


def test_the_owner_s_word_goes_before_that_of_who_still_holds_the_channel() -> None:
    topics = Topics()
    topics.list_channel("twitch:one")
    owner = str(owner_of("|".join(ONE), ["a", "b"]))
    other = {"a": "b", "b": "a"}[owner]
    topics.beat(owner)
    topics.beat(other, status())
    assert roster(topics).status(ONE) == (other, status())
    assert not roster(topics).is_heard_by_owner(ONE)
    topics.beat(owner, status(state="connecting"))
    assert roster(topics).status(ONE) == (owner, status(state="connecting"))
    assert not roster(topics).is_heard_by_owner(ONE)
    topics.beat(owner, status())
    assert roster(topics).is_heard_by_owner(ONE)
