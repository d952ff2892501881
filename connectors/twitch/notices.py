"""USERNOTICE: raids, subscriptions and gifts, as chat shows them."""

from typing import Final, Literal, NamedTuple

from connectors.twitch.irc import IrcMessage, number_of

NoticeKind = Literal["raid", "sub", "gift"]

_KINDS: Final[dict[str, NoticeKind]] = {
    "raid": "raid",
    "sub": "sub",
    "resub": "sub",
    "giftpaidupgrade": "sub",
    "anongiftpaidupgrade": "sub",
    "primepaidupgrade": "sub",
    "subgift": "gift",
    "anonsubgift": "gift",
    "submysterygift": "gift",
    "anonsubmysterygift": "gift",
    "standardpayforward": "gift",
    "communitypayforward": "gift",
}


class Notice(NamedTuple):
    """A notice with the names in its text as `@login`, so that they become pseudonyms like any mention."""

    kind: NoticeKind | None
    """Null for notices of other kinds (announcements, milestones): they are lines and nothing more."""
    login: str
    text: str
    """What the user said with it, else the platform's sentence."""
    viewers: int | None
    """Of a raid: how many came along."""


def notice_of(message: IrcMessage) -> Notice:
    """Read a USERNOTICE. Source: dev.twitch.tv/docs/chat/irc (USERNOTICE tags)."""
    tags = message.tags
    login = tags.get("login", "")
    sentence = tags.get("system-msg", "")
    names = [
        (tags.get("display-name", ""), login),
        (tags.get("msg-param-displayName", ""), tags.get("msg-param-login", "")),
        (tags.get("msg-param-recipient-display-name", ""), tags.get("msg-param-recipient-user-name", "")),
        (tags.get("msg-param-sender-name", ""), tags.get("msg-param-sender-login", "")),
    ]
    return Notice(
        kind=notice_kind(tags.get("msg-id", "")),
        login=login,
        text=message.text or with_logins(sentence, names),
        viewers=number_of(tags, "msg-param-viewerCount"),
    )


def notice_kind(name: str) -> NoticeKind | None:
    """The kind by Twitch's `msg-id`; None for kinds that are no event here."""
    return _KINDS.get(name)


def with_logins(sentence: str, names: list[tuple[str, str]]) -> str:
    """The sentence with each display name as `@login`, longest names first."""
    for shown, login in sorted(set(names), key=lambda pair: -len(pair[0])):
        if shown:
            words = sentence.split(" ")
            mention = f"@{login or shown}"
            if " " in shown:
                sentence = sentence.replace(shown, mention)
            else:
                sentence = " ".join(
                    mention + word[len(shown) :]
                    if word.startswith(shown) and not word[len(shown) :].isalnum()
                    else word
                    for word in words
                )
    return sentence
