"""Requests that announce more bytes than the page takes are answered before they are read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
OVERHEAD_BYTES = 1 << 20
"""What a form adds to the file that it carries, at most."""


class Limited:
    """An ASGI application whose requests have at most so many bytes; a larger one is answered with status 413.

    What comes without an announced length is for the application to count.

    Args:
        app: The application.
        most_bytes: Of the file that a request carries.
    """

    def __init__(self, app: App, most_bytes: int) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Hand on, or answer and close the connection."""
        announced = dict(scope.get("headers") or ()).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) <= self.most_bytes + OVERHEAD_BYTES:
            await self.app(scope, receive, send)
            return
        said = f"the request has more than {self.most_bytes:,} bytes\n".encode()
        headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": said})
