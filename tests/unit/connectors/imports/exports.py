"""Small exports as the tools write them (fields by the tools' sources; texts and people are made up)."""

import json
from typing import Any


def twitch_downloader(*comments: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "FileInfo": {
                "Version": {"Major": 1, "Minor": 4, "Patch": 0},
                "CreatedAt": "2024-05-02T10:00:00Z",
            },
            "streamer": {"name": "TestStreamer", "login": "teststreamer", "id": 12345},
            "video": {
                "title": 'a "comments": title',
                "id": "2134567890",
                "created_at": "2024-05-01T18:00:00Z",
                "start": 0,
                "end": 7200,
                "length": 7200,
                "viewCount": 99,
                "game": "Music",
                "chapters": [],
            },
            "comments": list(comments),
            "embeddedData": {"thirdParty": [], "firstParty": [], "twitchBadges": [], "twitchBits": []},
        }
    ).encode()


def comment(offset_s: float, body: str, **more: Any) -> dict[str, Any]:
    return {
        "_id": "11111111-2222-3333-4444-555555555555",
        "created_at": "2024-05-01T18:00:12.345Z",
        "channel_id": "12345",
        "content_type": "video",
        "content_id": "2134567890",
        "content_offset_seconds": offset_s,
        "commenter": {
            "display_name": "Alice",
            "_id": "1",
            "name": "alice",
            "bio": None,
            "created_at": "2023-05-01T18:00:12.345Z",
            "updated_at": "2024-01-01T00:00:00Z",
            "logo": None,
        },
        "message": {
            "body": body,
            "bits_spent": 0,
            "fragments": [{"text": body, "emoticon": None}],
            "user_badges": [],
            "user_color": "#FF0000",
            "emoticons": [],
        },
    } | more


TAGS = (
    "badge-info=subscriber/8;badges=subscriber/6,premium/1;color=#0000FF;display-name=Alice;"
    "emotes={emotes};first-msg=0;flags=;id=b34ccfc7-4977-403a-8a94-33c6bac34fb8;mod=0;room-id=12345;"
    "subscriber=1;tmi-sent-ts={at};turbo=0;user-id=1;user-type="
)


def privmsg(at: int, text: str, *, nick: str = "alice", emotes: str = "", more: str = "") -> str:
    tags = TAGS.format(at=at, emotes=emotes) + (f";{more}" if more else "")
    return f"@{tags} :{nick}!{nick}@{nick}.tmi.twitch.tv PRIVMSG #teststreamer :{text}"


def raid(at: int) -> str:
    return (
        "@badge-info=;badges=;color=;display-name=로레인;emotes=;id=c0ffee00-4977-403a-8a94-33c6bac34fb8;"
        "login=lorraine;mod=0;msg-id=raid;msg-param-displayName=로레인;msg-param-login=lorraine;"
        "msg-param-profileImageURL=x;msg-param-viewerCount=15;room-id=12345;subscriber=0;"
        f"system-msg=15\\sraiders\\sfrom\\s로레인\\shave\\sjoined!;tmi-sent-ts={at};user-id=9;user-type= "
        ":tmi.twitch.tv USERNOTICE #teststreamer"
    )


def chat_downloader_item(seconds: float | None, message: str | None, **more: Any) -> dict[str, Any]:
    item: dict[str, Any] = {
        "action_type": "text_message",
        "author": {
            "badges": [{"name": "subscriber", "version": 6, "title": "6-Month Subscriber"}],
            "display_name": "Alice",
            "id": "1",
            "is_moderator": False,
            "name": "alice",
        },
        "emotes": [],
        "message": message,
        "message_id": "b34ccfc7",
        "message_type": "text_message",
        "timestamp": 1714586412345000,
    }
    if seconds is not None:
        item["time_in_seconds"] = seconds
    return item | more


def live_chat_action(
    offset_ms: int, renderer: dict[str, Any], kind: str = "liveChatTextMessageRenderer"
) -> bytes:
    return json.dumps(
        {
            "clickTrackingParams": "CAEQl98BIhMI",
            "replayChatItemAction": {
                "actions": [
                    {
                        "clickTrackingParams": "CAEQl98B",
                        "addChatItemAction": {"item": {kind: renderer}, "clientId": "x"},
                    }
                ],
                "videoOffsetTimeMsec": str(offset_ms),
            },
        }
    ).encode()


def live_chat_text(*runs: dict[str, Any], author: str = "@alice-7", **more: Any) -> dict[str, Any]:
    return {
        "message": {"runs": list(runs)},
        "authorName": {"simpleText": author},
        "authorPhoto": {"thumbnails": []},
        "id": "ChwKGkNP",
        "timestampUsec": "1714586412345678",
        "authorExternalChannelId": "UC123",
    } | more


def telegram(*messages: dict[str, Any]) -> bytes:
    return json.dumps(
        {"name": "Test chat", "type": "public_supergroup", "id": 1234567, "messages": list(messages)},
        ensure_ascii=False,
        indent=1,
    ).encode()


def telegram_message(at_s: int, text: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "type": "message",
        "date": "2024-05-01T21:00:12",
        "date_unixtime": str(at_s),
        "from": "Алиса",
        "from_id": "user111",
        "text": text,
        "text_entities": [],
    } | more
