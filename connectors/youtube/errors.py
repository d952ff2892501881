"""What can go wrong between YouTube and us."""

from typing import Final, Literal

Failure = Literal[
    "connection_lost",
    "stalled",
    "bad_answer",
    "rate_limit",
    "quota",
    "credentials",
    "chat_over",
    "not_found",
    "page_lost",
    "no_stream",
]


class YouTubeError(Exception):
    """A call failed; the message is for people and holds neither a secret nor a line of chat.

    `credentials` lasts until there are others; `chat_over` and `not_found` concern one chat; after
    `page_lost` the chat is read from its beginning; `no_stream` means to poll; all others pass.
    """

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure: Final = failure
