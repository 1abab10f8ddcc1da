"""TCP proxies in front of dependencies, which break the line when told.

    python -m chaos.proxy --link postgres=127.0.0.1:5432 --link valkey=127.0.0.1:6379

Prints one line when ready, `{"postgres": port, …}`, and then reads orders from standard input, one JSON object a line:
`{"link": "postgres", "latency": 0.2, "reset": 0.05, "blackhole": false, "down": false, "cut_commits": 0.01}` sets what
it names, and leaves the rest of that link as it is; `{"link": "postgres", "cut": true}` resets every connection once.

`latency`: seconds added to each chunk. `reset`: share of the connections that are reset each second. `blackhole`: takes
bytes and hands none on. `down`: resets whoever connects. `cut_commits`: share of COMMITs whose answer is never heard.
"""

import argparse
import asyncio
import dataclasses
import json
import random
import socket
import struct
import sys
from contextlib import suppress

CHUNK = 65_536
RST = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time at all
BROKEN = (OSError, asyncio.IncompleteReadError)


@dataclasses.dataclass
class Troubles:
    """What a link suffers from."""

    latency: float = 0.0
    reset: float = 0.0
    blackhole: bool = False
    down: bool = False
    cut_commits: float = 0.0


class Link:
    """A port of our own, and the server behind it."""

    def __init__(self, host: str, port: int, chance: random.Random) -> None:
        self.troubles = Troubles()
        self._host, self._port, self._chance = host, port, chance
        self._open: set[asyncio.StreamWriter] = set()

    async def listen(self) -> int:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=1024)
        self._server = server
        self._resets = asyncio.create_task(self._reset_some())
        return int(server.sockets[0].getsockname()[1])

    def obey(self, order: dict[str, object]) -> None:
        is_cut = order.pop("cut", False)
        self.troubles = dataclasses.replace(self.troubles, **order)  # type: ignore[arg-type]
        if is_cut or self.troubles.down:
            self._cut(list(self._open))

    def _cut(self, writers: list[asyncio.StreamWriter]) -> None:
        for writer in writers:
            reset(writer)

    async def _reset_some(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._cut([one for one in list(self._open) if self._chance.random() < self.troubles.reset])

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.troubles.down:
            reset(writer)
            return
        try:
            there = await asyncio.open_connection(self._host, self._port)
        except OSError:
            reset(writer)
            return
        ends = {writer, there[1]}
        self._open |= ends
        try:
            await asyncio.gather(self._carry(reader, there[1], commits=True), self._carry(there[0], writer))
        except BROKEN:
            self._cut(list(ends))
        finally:
            self._open -= ends
            for end in ends:
                end.close()

    async def _carry(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, commits: bool = False) -> None:
        """Until one side is gone; then both are."""
        while chunk := await source.read(CHUNK):
            if self.troubles.latency:
                await asyncio.sleep(self.troubles.latency)
            if self.troubles.blackhole:
                continue
            to.write(chunk)
            await to.drain()
            if commits and b"COMMIT" in chunk and self._chance.random() < self.troubles.cut_commits:
                raise ConnectionResetError
        raise ConnectionResetError


def reset(writer: asyncio.StreamWriter) -> None:
    reset_transport(writer.transport)


def reset_transport(transport: asyncio.WriteTransport) -> None:
    """RST, not FIN: what is under way is gone."""
    with suppress(OSError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    transport.abort()


async def serve(links: dict[str, tuple[str, int]], seed: int) -> None:
    proxies = {name: Link(*there, random.Random(f"{seed}:{name}")) for name, there in links.items()}
    print(json.dumps({name: await link.listen() for name, link in proxies.items()}), flush=True)
    async for line in await lines():
        order = json.loads(line)
        proxies[order.pop("link")].obey(order)


async def lines() -> asyncio.StreamReader:
    """Standard input, without blocking."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--link", action="append", default=[], required=True, metavar="NAME=HOST:PORT")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    links = {}
    for link in given.link:
        name, _, there = link.partition("=")
        host, _, port = there.rpartition(":")
        links[name] = (host, int(port))
    asyncio.run(serve(links, given.seed))


if __name__ == "__main__":
    main()
