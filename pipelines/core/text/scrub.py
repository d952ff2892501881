"""Text as it may be shown to somebody else: no names, no links, nothing invisible, its own spelling."""

from pipelines.core.text.characters import REMOVED
from pipelines.core.text.tokens import mark_addresses


def scrub(text: str, limit: int) -> str:
    """The first `limit` code points on one line, with links → `<url>` and mentions → `@user`.

    Unlike the canonical text it keeps case, diacritics and stretched letters, from which a reader hears the
    tone. Invisible characters go: they carry text that people do not see.
    """
    return mark_addresses(" ".join(REMOVED.sub("", text[:limit]).split()))
