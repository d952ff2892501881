"""Frames of Twitch's IRC as its documentation shows them (dev.twitch.tv/docs/chat/irc), with other names."""

from typing import Final

AT: Final = 1_767_225_600_000


def privmsg(
    text: str,
    *,
    channel: str = "room",
    nick: str = "alice",
    identity: str = "m1",
    at: int = AT,
    more: str = "",
) -> str:
    tags = (
        f"badge-info=;badges=turbo/1;color=#0D4200;display-name={nick.title()};emotes=;first-msg=0;flags=;"
        f"id={identity};mod=0;room-id=1337;subscriber=0;tmi-sent-ts={at};turbo=1;user-id=1337;user-type="
    )
    if more:
        given = {tag.split("=")[0] for tag in more.split(";")}
        kept = [tag for tag in tags.split(";") if tag.split("=")[0] not in given]
        tags = ";".join([*kept, more])
    return f"@{tags} :{nick}!{nick}@{nick}.tmi.twitch.tv PRIVMSG #{channel} :{text}"


RAID: Final = (
    "@badge-info=;badges=turbo/1;color=#9ACD32;display-name=TestChannel;emotes=;"
    "id=3d830f12-795c-447d-af3c-ea05e40fbddb;login=testchannel;mod=0;msg-id=raid;"
    "msg-param-displayName=TestChannel;msg-param-login=testchannel;msg-param-viewerCount=15;room-id=33332222;"
    "subscriber=0;system-msg=15\\sraiders\\sfrom\\sTestChannel\\shave\\sjoined\\n!;"
    f"tmi-sent-ts={AT};turbo=1;user-id=123456;user-type= :tmi.twitch.tv USERNOTICE #room"
)
RESUB: Final = (
    "@badge-info=;badges=staff/1,broadcaster/1,turbo/1;color=#008000;display-name=ronni;emotes=;"
    "id=db25007f-7a18-43eb-9379-80131e44d633;login=ronni;mod=0;msg-id=resub;msg-param-cumulative-months=6;"
    "msg-param-sub-plan=Prime;room-id=12345678;subscriber=1;"
    "system-msg=ronni\\shas\\ssubscribed\\sfor\\s6\\smonths!;"
    f"tmi-sent-ts={AT};turbo=1;user-id=87654321;user-type=staff :tmi.twitch.tv USERNOTICE #room "
    ":Great stream -- keep it up!"
)
GIFT: Final = (
    "@badge-info=;badges=staff/1;color=#0000FF;display-name=TWW2;emotes=;"
    "id=e9176cd8-5e22-4684-ad40-ce53c2561c5e;login=tww2;mod=0;msg-id=subgift;msg-param-months=1;"
    "msg-param-recipient-display-name=Mr_Woodchuck;msg-param-recipient-id=55554444;"
    "msg-param-recipient-user-name=mr_woodchuck;msg-param-sub-plan=1000;room-id=19571752;subscriber=0;"
    "system-msg=TWW2\\sgifted\\sa\\sTier\\s1\\ssub\\sto\\sMr_Woodchuck!;"
    f"tmi-sent-ts={AT};turbo=0;user-id=87654321;user-type=staff :tmi.twitch.tv USERNOTICE #room"
)
TIMEOUT: Final = (
    f"@ban-duration=350;room-id=12345678;target-user-id=87654321;tmi-sent-ts={AT} "
    ":tmi.twitch.tv CLEARCHAT #room :ronni"
)
BAN: Final = (
    f"@room-id=12345678;target-user-id=87654321;tmi-sent-ts={AT} :tmi.twitch.tv CLEARCHAT #room :ronni"
)
CLEARED: Final = f"@room-id=12345678;tmi-sent-ts={AT} :tmi.twitch.tv CLEARCHAT #room"
DELETED: Final = (
    f"@login=ronni;room-id=;target-msg-id=abc-123-def;tmi-sent-ts={AT} :tmi.twitch.tv CLEARMSG #room :HeyGuys"
)
ROOM: Final = (
    "@emote-only=0;followers-only=-1;r9k=0;room-id=12345678;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #room"
)
SLOW: Final = "@room-id=12345678;slow=10 :tmi.twitch.tv ROOMSTATE #room"
