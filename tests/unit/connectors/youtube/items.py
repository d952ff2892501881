"""Items of a live chat as YouTube's documentation describes them, with other names."""

from datetime import UTC, datetime
from typing import Any, Final

AT: Final = 1_767_225_600_000
CHANNEL: Final = "UC" + "x" * 22
VIDEO: Final = "abcdefghijk"
ALICE: Final = {
    "channelId": "UCalice0000000000000000a",
    "displayName": "@alice-l",
    "isVerified": False,
    "isChatOwner": False,
    "isChatSponsor": True,
    "isChatModerator": False,
}
BOB: Final = {"channelId": "UCbob000000000000000000b", "displayName": "Bob Builder"}


def item(
    kind: str, *, number: int = 1, at: int = AT, who: dict[str, Any] = ALICE, **details: Any
) -> dict[str, Any]:
    published = datetime.fromtimestamp(at / 1000, UTC).isoformat()
    snippet = {"type": kind, "liveChatId": "chat-1", "publishedAt": published, "hasDisplayContent": True}
    return {
        "kind": "youtube#liveChatMessage",
        "id": f"LCC.{number}",
        "snippet": {**snippet, **details},
        "authorDetails": who,
    }


def text(said: str, **more: Any) -> dict[str, Any]:
    return item("textMessageEvent", textMessageDetails={"messageText": said}, displayMessage=said, **more)


SUPER_CHAT: Final = item(
    "superChatEvent",
    number=20,
    superChatDetails={
        "amountMicros": "5000000",
        "currency": "EUR",
        "amountDisplayString": "€5.00",
        "userComment": "take it @alice-l",
        "tier": 2,
    },
)
STICKER: Final = item(
    "superStickerEvent",
    number=21,
    superStickerDetails={
        "superStickerMetadata": {"stickerId": "s", "altText": "A dancing pear", "language": "en"},
        "amountMicros": 1990000,
        "currency": "USD",
    },
)
NEW_MEMBER: Final = item("newSponsorEvent", number=22, newSponsorDetails={"memberLevelName": "Fan"})
MILESTONE: Final = item(
    "memberMilestoneChatEvent",
    number=23,
    memberMilestoneChatDetails={"userComment": "a year!", "memberMonth": 12, "memberLevelName": "Fan"},
)
GIFT: Final = item("membershipGiftingEvent", number=24, membershipGiftingDetails={"giftMembershipsCount": 5})
DELETED: Final = item("messageDeletedEvent", number=25, messageDeletedDetails={"deletedMessageId": "LCC.1"})
BANNED: Final = item(
    "userBannedEvent",
    number=26,
    userBannedDetails={"bannedUserDetails": BOB, "banType": "permanent"},
)
TIMED_OUT: Final = item(
    "userBannedEvent",
    number=27,
    userBannedDetails={"bannedUserDetails": BOB, "banType": "temporary", "banDurationSeconds": "300"},
)
TOMBSTONE: Final = item("tombstone", number=28)
MEMBERS_ONLY: Final = item("sponsorOnlyModeStartedEvent", number=29)
POLL: Final = item("pollEvent", number=30)
