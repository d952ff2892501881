"""The API's view of the list of channels in Kafka."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from connectors.core.journal import JournalError
from connectors.hub.book import ChannelBook, UnknownChannelError
from serving.api.channels import ListUnavailableError, NotListedError
from serving.api.models import Channel


class KafkaChannelList:
    """serving.api.channels.ChannelList over a ChannelBook: the errors in the API's own terms."""

    def __init__(self, book: ChannelBook) -> None:
        self._book = book

    def channels(self, workspace: str) -> Sequence[Channel]:
        """See ChannelList."""
        with _in_terms_of_the_api():
            return [Channel(**listed._asdict()) for listed in self._book.channels(workspace)]

    def add(self, workspace: str, address: str) -> str:
        """See ChannelList."""
        platform, _, name = address.partition(":")
        with _in_terms_of_the_api():
            return self._book.add(workspace, platform, name, "api").channel

    def remove(self, workspace: str, address: str) -> None:
        """See ChannelList."""
        platform, _, name = address.partition(":")
        with _in_terms_of_the_api():
            self._book.remove(workspace, platform, name)


@contextmanager
def _in_terms_of_the_api() -> Iterator[None]:
    try:
        yield
    except JournalError as error:
        raise ListUnavailableError(str(error)) from error
    except UnknownChannelError as error:
        raise NotListedError(str(error)) from error
