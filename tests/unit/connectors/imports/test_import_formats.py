import gzip
import json
from pathlib import Path

import pytest

from connectors.imports.conversion import UnknownFormatError
from connectors.imports.export import Export
from connectors.imports.formats import READERS, format_of
from tests.unit.connectors.imports.exports import (
    chat_downloader_item,
    comment,
    live_chat_action,
    live_chat_text,
    privmsg,
    raid,
    telegram,
    telegram_message,
    twitch_downloader,
)

AT = 1_714_586_412_345


def test_twitch_downloader(convert) -> None:
    message = {
        "body": "ab😀 Kappa PogChamp",
        "bits_spent": 100,
        "fragments": [
            {"text": "ab😀 ", "emoticon": None},
            {"text": "Kappa", "emoticon": {"emoticon_id": "25"}},
            {"text": " ", "emoticon": None},
            {"text": "PogChamp", "emoticon": {"emoticon_id": "305954156"}},
        ],
        "user_badges": [{"_id": "moderator", "version": "1"}, {"_id": "subscriber", "version": "12"}],
    }
    lines, refused = convert(twitch_downloader(comment(60.5, "later"), comment(12, "", message=message)))
    assert refused == []
    assert lines == [
        {
            "stream": "teststreamer/2134567890",
            "offset_ms": 12_345,
            "author": "alice",
            "text": "ab😀 Kappa PogChamp",
            "emotes": [
                {"name": "Kappa", "provider": "twitch", "start": 4, "end": 9},
                {"name": "PogChamp", "provider": "twitch", "start": 10, "end": 18},
            ],
            "badges": ["moderator/1", "subscriber/12"],
            "bits": 100,
            "account_age_s": 366 * 86_400,
        },
        lines[1],
    ]
    assert (lines[1]["offset_ms"], lines[1]["text"]) == (60_500, "later")


def test_twitch_downloader_without_header_and_with_a_deleted_account(convert) -> None:
    content = json.dumps({"comments": [comment(1, "hi", commenter=None)]}).encode()
    (line,), refused = convert(content)
    assert (line["stream"], line["author"], refused) == ("12345/2134567890", "", [])
    assert "account_age_s" not in line


def test_chat_downloader_of_twitch(convert) -> None:
    emote = {"id": "25", "name": "Kappa", "locations": ["2-6"]}
    items = [
        chat_downloader_item(-3.5, "early"),
        chat_downloader_item(2.25, "😀 Kappa", emotes=[emote], bits=50, in_reply_to={"message_id": "m1"}),
        chat_downloader_item(3, None, message_type="room_state"),
        chat_downloader_item(
            4,
            None,
            message_type="raid",
            number_of_raiders=12,
            system_message="12 raiders from Alice have joined!",
        ),
    ]
    for content in (json.dumps(items), json.dumps(items, indent=4), "\n".join(map(json.dumps, items))):
        lines, refused = convert(content.encode(), name="my show.json")
        assert refused == []
        assert [(line["stream"], line["offset_ms"]) for line in lines] == [
            ("my_show/0", 0),
            ("my_show/0", 5750),
            ("my_show/0", 7500),
        ]
        assert lines[1] == {
            "stream": "my_show/0",
            "offset_ms": 5750,
            "author": "alice",
            "text": "😀 Kappa",
            "emotes": [{"name": "Kappa", "provider": "twitch", "start": 2, "end": 7}],
            "badges": ["subscriber/6"],
            "bits": 50,
            "reply_to": "m1",
        }
        assert (lines[2]["text"], lines[2]["notice"], lines[2]["viewers"]) == (
            "12 raiders from @alice have joined!",
            "raid",
            12,
        )


def test_chat_downloader_of_a_live_stream_has_only_wall_times(convert) -> None:
    items = [chat_downloader_item(None, "one"), chat_downloader_item(None, "two", timestamp=1714586413345000)]
    lines, _ = convert(json.dumps(items).encode())
    assert [(line["stream"], line["offset_ms"]) for line in lines] == [
        ("export/live", 0),
        ("export/live", 1000),
    ]


def test_justlog_raw_lines(convert) -> None:
    log = "\r\n".join(
        [
            privmsg(AT + 500, "ok 😀Kappa", emotes="25:4-8"),
            "@room-id=12345;target-user-id=5;tmi-sent-ts=1 :tmi.twitch.tv CLEARCHAT #teststreamer :bob",
            privmsg(
                AT,
                "\x01ACTION waves Kappa\x01",
                nick="bob",
                emotes="25:6-10/999:50-60/x",
                more="bits=5;reply-parent-msg-id=m1;reply-parent-msg-body=a\\sb\\:",
            ),
            "garbage",
            raid(AT + 900),
        ]
    )
    lines, refused = convert(log.encode(), name="teststreamer.txt.gz")
    assert [str(item) for item in refused] == [
        "teststreamer.txt.gz:4: source_line: no IRC line: it has no command"
    ]
    assert lines == [
        {
            "stream": "teststreamer/2024-05-01",
            "offset_ms": 0,
            "author": "bob",
            "text": "waves Kappa",
            "emotes": [{"name": "Kappa", "provider": "twitch", "start": 6, "end": 11}],
            "badges": ["subscriber/6", "premium/1"],
            "bits": 5,
            "first_message": False,
            "reply_to": "m1",
        },
        lines[1],
        {
            "stream": "teststreamer/2024-05-01",
            "offset_ms": 900,
            "author": "lorraine",
            "text": "15 raiders from @lorraine have joined!",
            "emotes": [],
            "badges": [],
            "bits": 0,
            "notice": "raid",
            "viewers": 15,
        },
    ]
    assert (lines[1]["offset_ms"], lines[1]["emotes"][0]["start"]) == (500, 4)


def test_bare_irc_keeps_the_order_of_the_file(convert) -> None:
    content = "\n".join(f":u{n}!u{n}@u{n}.tmi.twitch.tv PRIVMSG #chan :text {n}" for n in (3, 1, 2))
    lines, refused = convert(content.encode(), name="log.irc.gz")
    assert refused == []
    assert lines == [
        {"stream": "chan/0", "offset_ms": None, "author": f"u{n}", "text": f"text {n}"} for n in (3, 1, 2)
    ]


def test_youtube_live_chat(convert) -> None:
    emoji = {"emojiId": "UC/abc", "shortcuts": [":heart:", ":_heart:"], "isCustomEmoji": True}
    badge = {"liveChatAuthorBadgeRenderer": {"icon": {"iconType": "MODERATOR"}, "tooltip": "Moderator"}}
    member = {"liveChatAuthorBadgeRenderer": {"customThumbnail": {}, "tooltip": "Member (1 year)"}}
    content = b"\n".join(
        [
            live_chat_action(
                2000,
                live_chat_text(
                    {"text": "hi 😀 "},
                    {"emoji": emoji},
                    {"emoji": {"emojiId": "👍"}},
                    authorBadges=[badge, member],
                ),
            ),
            b'{"replayChatItemAction":{"actions":[{"addLiveChatTickerItemAction":{}}],"videoOffsetTimeMsec":"1"}}',
            live_chat_action(
                1000,
                live_chat_text(
                    {"text": "take it"}, purchaseAmountText={"simpleText": "¥1,000"}, author="Bob"
                ),
                "liveChatPaidMessageRenderer",
            ),
            b"{oops",
        ]
    )
    lines, refused = convert(content, name="Some title [dQw4w9WgXcQ].live_chat.json")
    assert [(item.item.number, item.item.error.error_class) for item in refused] == [(4, "not_json")]
    assert lines == [
        {
            "stream": "dQw4w9WgXcQ/0",
            "offset_ms": 1000,
            "author": "UC123",
            "text": "take it",
            "emotes": [],
            "badges": [],
            "bits": 1000,
        },
        {
            "stream": "dQw4w9WgXcQ/0",
            "offset_ms": 2000,
            "author": "alice-7",
            "text": "hi 😀 :heart:👍",
            "emotes": [{"name": ":heart:", "provider": "youtube", "start": 5, "end": 12}],
            "badges": ["moderator/1", "subscriber/1"],
            "bits": 0,
        },
    ]


def test_a_youtube_line_with_several_items_keeps_numbers_apart(tmp_path: Path) -> None:
    line = json.loads(live_chat_action(5, live_chat_text({"text": "a"})))
    line["replayChatItemAction"]["actions"] *= 3
    path = tmp_path / "x.live_chat.json"
    path.write_bytes(
        json.dumps(line).encode() + b"\nbad\n" + live_chat_action(6, live_chat_text({"text": "b"}))
    )
    items = list(READERS["youtube-live-chat"](Export(path)))
    assert [item.number for item in items] == [1, 2, 3, 4, 5]


def test_telegram_export(convert) -> None:
    content = telegram(
        {"id": 1, "type": "service", "date_unixtime": "1714586400", "actor": "A", "action": "pin_message"},
        telegram_message(1_714_586_500, "позже"),
        telegram_message(
            1_714_586_412,
            [
                "ok ",
                {"type": "mention_name", "text": "Боб Петров", "user_id": 5},
                {"type": "custom_emoji", "text": "🔥"},
            ],
            reply_to_message_id=3,
        ),
        telegram_message(1_714_586_600, "", sticker_emoji="😀", from_id=None),
    )
    lines, refused = convert(content, name="result.json")
    assert refused == []
    assert lines[0] == {
        "stream": "Test_chat/1234567",
        "offset_ms": 0,
        "author": "user111",
        "text": "ok @user5🔥",
        "emotes": [{"name": "🔥", "provider": "telegram", "start": 9, "end": 10}],
        "reply_to": "3",
    }
    assert [(line["offset_ms"], line["text"]) for line in lines[1:]] == [(88_000, "позже"), (188_000, "😀")]


def test_telegram_export_of_an_account_and_of_years(convert) -> None:
    chat = json.loads(telegram(telegram_message(1_500_000_000, "a"), telegram_message(1_714_586_412, "b")))
    content = json.dumps({"about": "Here is the data", "chats": {"about": "x", "list": [chat]}}).encode()
    lines, refused = convert(content)
    assert refused == []
    assert [(line["stream"], line["offset_ms"]) for line in lines] == [
        ("Test_chat/1234567-2017", 0),
        ("Test_chat/1234567-2024", 0),
    ]


def test_days_follow_one_another_whatever_the_order_of_the_files(convert) -> None:
    day = 86_400_000
    lines, _ = convert(privmsg(AT + day, "two").encode(), privmsg(AT, "one").encode(), name="log.txt")
    assert [(line["stream"], line["text"]) for line in lines] == [
        ("teststreamer/2024-05-01", "one"),
        ("teststreamer/2024-05-02", "two"),
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (twitch_downloader(comment(1, "a")), "twitch-downloader"),
        (twitch_downloader(), "twitch-downloader"),
        (json.dumps([chat_downloader_item(1, "a")]).encode(), "chat-downloader"),
        (json.dumps(chat_downloader_item(1, '"stream"')).encode() + b"\n", "chat-downloader-lines"),
        (privmsg(AT, "a").encode(), "irc-log"),
        (raid(AT).encode(), "irc-log"),
        (b":u!u@u PRIVMSG #c :hi tmi-sent-ts=5", "irc"),
        (b"@badges= :u!u@u PRIVMSG #c :hi", "irc"),
        (b"oops\n:tmi.twitch.tv 001 justinfan1 :Welcome\n:u!u@u PRIVMSG #c :a", "irc"),
        (live_chat_action(1, live_chat_text({"text": "a"})), "youtube-live-chat"),
        (telegram(telegram_message(1, "a")), "telegram"),
        (b'{"stream":"a/1","offset_ms":1,"author":"u","text":"x"}', "recording"),
        (b'\xef\xbb\xbf{"stream":"a/1","offset_ms":null,"author":"u","text":"x"}', "recording"),
        (b"", None),
        (b"\x00\x01\x02", None),
        (b"12:03 <alice> hello", None),
        (b'{"a": 1}', None),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_content_tells_the_format(tmp_path: Path, content: bytes, expected: str | None, packed: bool) -> None:
    path = tmp_path / "whatever"
    path.write_bytes(gzip.compress(content) if packed else content)
    assert format_of(Export(path)) == expected


def test_unknown_and_recorded_files_are_refused_with_what_to_do(convert) -> None:
    with pytest.raises(UnknownFormatError, match="--format: twitch-downloader"):
        convert(b"hello")
    with pytest.raises(UnknownFormatError, match="recorded chat already"):
        convert(b'{"stream":"a/1","offset_ms":1,"author":"u","text":"x"}')
