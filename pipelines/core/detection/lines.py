"""From a chat record to the compact line that detectors see; text work is done once per distinct text."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import Final, NamedTuple

import msgspec

from pipelines.core.detection import hostile_words
from pipelines.core.detection.word_scan import ANYWHERE, AT_WORD, WHOLE_WORD, build_trie, scan
from pipelines.core.fingerprint import signatures, stable_hash
from pipelines.core.text.batch import code_points, normalise_all
from pipelines.core.text.obfuscation import shorten_stretched
from schemas.records import AuthorFlags, ChatMessage

LINK: Final = 1
"""Holds a web address or an invite."""
LOW_CONTENT: Final = 2
"""Emotes, one word, a number, a reaction: equal texts of this kind mean nothing by themselves."""
COMMAND: Final = 4
"""A bot command or a raffle keyword ("!join")."""
NEWCOMER: Final = 8
"""Of an author whose first line on the channel was a short while ago."""
TRUSTED: Final = 16
"""Moderator, VIP or subscriber."""
MODERATOR: Final = 32
YOUNG: Final = 64
"""Account younger than YOUNG_S, by the platform."""
AGED: Final = 128
"""Account older than AGED_S, by the platform."""
OBFUSCATED: Final = 256
"""Words that only normalisation could read: zero-width or foreign lookalike letters, leet, spaced letters."""
INSULT: Final = 512
GREETING: Final = 1024
"""Says hello, or speaks of a raid."""
NOTICE: Final = 2048
"""A raid announcement by a bot or the platform."""
SYSTEM: Final = 4096
"""Written by the platform in an author's name (subs, gifts), or put in place of a deleted line."""
FIRST: Final = 8192
"""The platform says: the author's first line here."""
NOT_FIRST: Final = 16384
"""The platform says: not the author's first line here."""

YOUNG_S: Final = 30 * 24 * 3600
AGED_S: Final = 60 * 24 * 3600
_LINK = re.compile(
    r"https?://|\bwww\.|discord\.gg/|\bt\.me/|[\w-]{2,}\s?(?:\(dot\)|\[dot\]|\(\.\))\s?[a-z]{2,}"
    r"|\b[a-z0-9][\w-]+\.[a-z]{2,12}/\w|<url>"
)
_RAID: Final = ("raid", "рейд", "레이드", "レイド")
_SYSTEM_WORDS: Final = ("sub", "gift", "<message")
_NOTICE = re.compile(
    r"^\s*\d+ raiders from \S+ ha(?:ve|s) joined!?\s*$|just raided the channel with \d+ viewers"
)
_NUMBER = re.compile(r"\b\d+\b")
_SYSTEM = re.compile(
    r"\b(?:gifted|is gifting) (?:a |an |\d+ )?(?:tier \d )?(?:\w+ )?subs?\b|gifted a tier \d"
    r"|^<message deleted>|<message deleted>$|\bsubscribed (?:with|at|for|using)\b|is paying forward the gift"
    r"|continuing the gift sub|converted from a \w+ sub"
)
_GREETINGS: Final = tuple(
    f"{word} "
    for words in (
        "hi hii hiii hey heyy heya hello helloo yo welcome o/ hola holaa buenas bienvenidos ola oi salve",
        "привет приветик прив хай дарова здарова bem-vindos hallo moin servus willkommen salut bonjour",
        "coucou bienvenue ciao czesc hej selam merhaba",
    )
    for word in words.split()
)
_GREETINGS_CJK: Final = ("안녕", "ㅎㅇ", "你好", "こんにち", "こんばん", "大家好")
_ZERO_WIDTH_INSIDE = re.compile(
    "[A-Za-zА-яЁё][\u200b\u200e\u200f\u2060\ufeff\u00ad\u034f\u180e\u200c\u200d]+[A-Za-zА-яЁё]"
)
_COMBINING: Final = dict.fromkeys(mark for mark in range(0x20000) if unicodedata.combining(chr(mark)))
_WORD = re.compile(r"(?<![\w@:<])(?:[a-z]{4,}|[а-яё]{4,})(?![\w:>])")
_SIMPLE: Final = re.compile(r"[\x20-\x7eА-Яа-яЁё]*")
"""Letters that stand for nothing but themselves: a plain text of these hides no word."""
_SELF_MENTION_CHARS: Final = 12
_UNKNOWN_AUTHOR: Final = AuthorFlags()


PASS_CODE_POINTS: Final = 65_536
"""Code points of texts that are prepared together."""

_MAY_LINK: Final = 1 << 20
_SAYS_RAID: Final = 1 << 21
_MAY_BE_SYSTEM: Final = 1 << 22
_SAID: Final = _MAY_LINK - 1
_TRIE: Final = build_trie(
    {
        ANYWHERE: [
            *((part, _MAY_LINK) for part in ("/", "www.", "(dot)", "[dot]", "(.)", "<url>")),
            *((word, _SAYS_RAID | GREETING) for word in _RAID),
            *((word, _MAY_BE_SYSTEM) for word in _SYSTEM_WORDS),
            *((word, GREETING) for word in _GREETINGS_CJK),
            *((stem, INSULT) for stem in hostile_words.ANYWHERE),
        ],
        AT_WORD: [(stem, INSULT) for stem in hostile_words.BEGINNINGS],
        WHOLE_WORD: [(word, GREETING) for word in _GREETINGS],
    }
)


class Prepared(NamedTuple):
    """What a text says irrespective of who wrote it."""

    key: int
    """Fingerprint of the normalised text."""
    signature: bytes
    flags: int


class Line(msgspec.Struct, array_like=True, gc=False):
    """One chat line or heartbeat as detectors see it."""

    at: int
    """Event time, ms; for a heartbeat the start of what it covers."""
    until: int
    """For a heartbeat the end of what it covers, else equal to `at`."""
    author: int
    """64-bit hash of the pseudonym; 0 for a heartbeat."""
    message_id: str
    key: int
    signature: bytes
    flags: int
    emotes: int


class _Known:
    """Texts prepared lately: two halves, the older one is dropped when the newer one is full.

    What is in it changes nothing but the time it takes, so it is no state.
    """

    HALF: Final = 32_768

    def __init__(self) -> None:
        self._newer: dict[str, Prepared] = {}
        self._older: dict[str, Prepared] = {}

    def all_of(self, texts: Sequence[str]) -> list[Prepared]:
        """What each text says; those not known are prepared together."""
        newer, older = self._newer, self._older
        found = {text: newer.get(text) or older.get(text) for text in texts}
        missing = [text for text, known in found.items() if known is None]
        fresh: dict[str, Prepared] = {}
        for part in _passes(missing):
            fresh.update(zip(part, _prepare(part), strict=True))
        if len(newer) + len(fresh) > self.HALF:
            self._newer, self._older = {}, newer
        self._newer.update(fresh)
        return [found[text] or fresh[text] for text in texts]


_known: Final = _Known()


def prepare(text: str) -> Prepared:
    """Normalise and fingerprint a text (without its emotes); pure."""
    return _known.all_of((text,))[0]


def _passes(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in parts of about PASS_CODE_POINTS, so that long ones need no more room than many."""
    start = size = 0
    for at, text in enumerate(texts):
        size += len(text)
        if size >= PASS_CODE_POINTS:
            yield texts[start : at + 1]
            start, size = at + 1, 0
    if start < len(texts):
        yield texts[start:]


def _prepare(texts: Sequence[str]) -> list[Prepared]:
    cleaned, plain = normalise_all(texts)
    codes, ends = code_points(cleaned)
    said = scan(codes, ends, _TRIE, LOW_CONTENT).tolist()
    return [
        Prepared(
            stable_hash(clean),
            b"" if flags & LOW_CONTENT else signed,
            _finished(text, clean, is_plain, flags),
        )
        for text, clean, is_plain, flags, signed in zip(
            texts, cleaned, plain, said, signatures(codes, ends), strict=True
        )
    ]


def _finished(text: str, clean: str, is_plain: bool, said: int) -> int:
    """The flags with those that a scan of single words cannot tell."""
    flags = said & _SAID
    if said > _SAID:
        if said & _MAY_LINK and _LINK.search(clean):
            flags |= LINK
        if said & _SAYS_RAID and _NUMBER.search(clean):
            flags |= NOTICE
        if said & _MAY_BE_SYSTEM and _SYSTEM.search(clean):
            flags |= SYSTEM
    if text.startswith("!"):
        flags |= COMMAND
    if (
        clean not in text
        and clean not in text.lower()
        and not (is_plain and _SIMPLE.fullmatch(text))
        and _is_obfuscated(text, clean)
    ):
        flags |= OBFUSCATED
    return flags


@lru_cache(maxsize=65_536)
def author_hash(author: str) -> int:
    """64-bit hash of a pseudonym."""
    return stable_hash(author)


@lru_cache(maxsize=4_096)
def _emotes_hash(names: frozenset[str]) -> int:
    """Lines of nothing but emotes are equal when they show the same ones."""
    return stable_hash(" ".join(sorted(names)))


def to_line(message: ChatMessage) -> Line:
    """The compact form of a record; channel-dependent flags (NEWCOMER) are set when it is evaluated."""
    return next(iter(to_lines((message,))))


def to_lines(messages: Sequence[ChatMessage]) -> Iterable[Line]:
    """`to_line` of each record; far sooner than one by one, and the same."""
    spoken = [message.kind != "heartbeat" for message in messages]
    texts = [
        _without_emotes(message) if message.emotes else message.text for message in compress(messages, spoken)
    ]
    prepared = iter(zip(texts, _known.all_of(texts), strict=True))
    for message, speaks in zip(messages, spoken, strict=True):
        yield _spoken(message, *next(prepared)) if speaks else _heartbeat(message)


def _without_emotes(message: ChatMessage) -> str:
    names = {emote.name for emote in message.emotes}
    return " ".join(word for word in message.text.split() if word not in names)


def _heartbeat(message: ChatMessage) -> Line:
    start = message.sent_at if message.span_from is None else message.span_from
    end = message.sent_at if message.span_to is None else message.span_to
    return Line(min(start, end), end, 0, "", 0, b"", 0, 0)


def _spoken(message: ChatMessage, text: str, prepared: Prepared) -> Line:
    key, signed, flags = prepared
    if not text and message.emotes:
        key = _emotes_hash(frozenset(emote.name for emote in message.emotes))
    said = message.author_flags
    if said != _UNKNOWN_AUTHOR:
        flags |= _author_flags(said)
    if flags & NOTICE and not flags & MODERATOR and not _NOTICE.search(text.lower()):
        flags &= ~NOTICE
    if _is_system(message, text):
        flags |= SYSTEM
    at = message.sent_at
    author = author_hash(message.author)
    return Line(at, at, author, message.message_id, key, signed, flags, len(message.emotes))


def _author_flags(said: AuthorFlags) -> int:
    flags = 0
    if said.moderator:
        flags = MODERATOR | TRUSTED
    elif said.subscriber or said.vip:
        flags = TRUSTED
    if said.first_message is not None:
        flags |= FIRST if said.first_message else NOT_FIRST
    age = said.account_age_s
    if age is not None:
        flags |= YOUNG if age < YOUNG_S else AGED if age >= AGED_S else 0
    return flags


def _is_system(message: ChatMessage, text: str) -> bool:
    """Notices of the platform begin with the very name of the author in whose name they stand."""
    if not text.startswith("@"):
        return False
    kid, _, digest = message.author.partition(".")
    return bool(digest) and text.startswith(f"@{kid}_{digest[:_SELF_MENTION_CHARS]}")


def _is_obfuscated(text: str, clean: str) -> bool:
    """A longer word of the canonical text stands nowhere in the written text, case and accents aside."""
    written = text.casefold()
    if clean in written:
        return False
    ascii_only = text.isascii()
    if not ascii_only and _ZERO_WIDTH_INSIDE.search(text):
        return True
    missing = [word for word in _WORD.findall(clean) if word not in written]
    if missing and not ascii_only:
        # mathematical letters are style and hide nothing; their capitals fold only once they are plain
        plain = unicodedata.normalize("NFKD", written).translate(_COMBINING).casefold()
        written = f"{written} {plain} {written.replace('ё', 'е')}"
        missing = [word for word in missing if word not in written]
    if not missing:
        return False
    shortened = shorten_stretched(written)
    return any(word not in shortened for word in missing)
