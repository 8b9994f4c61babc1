"""What stands between a client and its server."""
import asyncio
import contextlib


class Proxy:
    """Passes bytes on, until it is told not to."""

    def __init__(self, target):
        self.target, self.writers, self.refuses, self.silent, self.number = target, set(), False, set(), 0
        self.deaf = False  # what the server says is lost

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()
        self.server.close()

    async def accept(self, reader, writer):
        if self.refuses:
            return writer.transport.abort()
        self.number += 1
        number = self.number
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.target)
            except OSError:
                return writer.transport.abort()  # nobody is there
            self.writers |= {writer, to_writer}
            await asyncio.wait([asyncio.ensure_future(self.copy(number, reader, to_writer, lambda: True)),
                                asyncio.ensure_future(self.copy(number, to_reader, writer, lambda: not self.deaf))],
                               return_when=asyncio.ALL_COMPLETED)

    async def copy(self, number, reader, writer, may_pass):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if number not in self.silent and may_pass():
                    writer.write(data)
        if number not in self.silent:
            writer.close()

    def cut(self):
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    def silence(self):
        """What is open now stays so, and nothing passes any more."""
        self.silent |= set(range(self.number + 1))
