"""Whether a kept connection is still there, without asking the server."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A server that goes away closes its connections, and then the socket has something to read: its end.

    Between requests nothing else comes, so a silent socket is taken for a usable connection, and `SELECT 1`, a round
    trip before the first query of each request, is only sent when there is doubt.
    """

    def is_usable(self) -> bool:
        connection = self.connection
        if connection is None or connection.closed:
            return False
        return not _has_news(connection.fileno()) or bool(super().is_usable())


def _has_news(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))
