"""aiosmtpd's mail server, which leaves no socket open when it stops."""

import asyncio
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class MailServer(Controller):
    """Serves from a thread of its own."""

    def __init__(self, handler: object, port: int) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=port)
        self._conversations: list[SMTP] = []

    def factory(self) -> SMTP:
        """The server's side of a conversation."""
        conversation = super().factory()
        self._conversations.append(conversation)
        return conversation

    def stop(self, *arguments: Any, **options: Any) -> None:
        """Hang up on everybody, then stop."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result()
        super().stop(*arguments, **options)

    async def _hang_up(self) -> None:
        if isinstance(self.server, asyncio.Server):
            for listener in self.server.sockets:
                self.loop.remove_reader(listener.fileno())
        await asyncio.sleep(0.05)  # who has been accepted gets a conversation: a server that closes would forget them
        for conversation in self._conversations:
            if conversation.transport is not None:
                conversation.transport.close()
        await asyncio.sleep(0.05)  # their sockets are closed
