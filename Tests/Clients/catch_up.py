"""Many clients that read a stream's log over HTTP, segment by segment, and then wait for what comes.

usage: catch_up.py SOCKET STREAM CLIENTS ROWS

SOCKET is a unix socket where an HTTP server, such as a cache, passes on what an edge says. Each client has a connection of its own
and reads each source of the log from its beginning to its end; once all have, `caught up ROWS` is printed, the rows of all. Then
each waits for the next row of source 1: `waited ANSWERS` once each has had an answer without rows, with how many these were by
then; `told CLIENTS`, those that got the row.
A client that sees other bytes than the first one did ends all of it.
"""

import asyncio
import hashlib
import json
import sys

path, stream, clients, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
seen = {}


class Client:
    async def open(self):
        while True:
            try:
                self.reader, self.writer = await asyncio.open_unix_connection(path, limit=1 << 20)
                return
            except (BlockingIOError, ConnectionError):
                await asyncio.sleep(0.01)

    async def get(self, target):
        while True:
            self.writer.write(f"GET {target} HTTP/1.1\r\nHost: log\r\n\r\n".encode())
            try:
                head = await self.reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                # A kept connection may end between two requests (RFC 9112, section 9.3.1).
                self.writer.close()
                await self.open()
                continue
            status, *lines = head.decode().split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in lines if line)
            assert status.split()[1] == "200", (target, status)
            if "content-length" in fields:
                body = await self.reader.readexactly(int(fields["content-length"]))
            else:
                body = b""
                while size := int(await self.reader.readline(), 16):
                    body += await self.reader.readexactly(size)
                    await self.reader.readexactly(2)
                await self.reader.readexactly(2)
            return fields, body

    async def catch_up(self):
        await self.open()
        _, index = await self.get(f"/v1/streams/{stream}/log")
        index = json.loads(index)
        self.base = f"/v1/streams/{stream}/log/{index['version']}"
        self.position, count = {}, 0
        for source, place in index["sources"].items():
            next, ends = place["from"], False
            while not ends:
                fields, body = await self.get(f"{self.base}/{source}/{next}")
                ends = "millrace-tail" in fields
                if not ends:
                    sum = hashlib.sha256(body).digest()
                    assert seen.setdefault((source, next), sum) == sum, (source, next)
                count += body.count(b"\n")
                next = int(fields["millrace-next"])
            self.position[source] = next
            self.cursor = fields["millrace-cursor"]
        return count

    async def wait(self, answers):
        """For one row; answers without any are counted by client."""
        next, cursor = self.position["1"], self.cursor
        while True:
            fields, body = await self.get(f"{self.base}/1/{next}?live=true&cursor={cursor}")
            next, cursor = int(fields["millrace-next"]), fields["millrace-cursor"]
            if body:
                return body
            answers[self] = answers.get(self, 0) + 1
            if answers[self] == 1 and len(answers) == clients:
                say(f"waited {sum(answers.values())}")


def say(line):
    # At once, for who reads it as it comes.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main():
    all = [Client() for _ in range(clients)]
    counts = await asyncio.gather(*(client.catch_up() for client in all))
    assert set(counts) == {rows}, set(counts)
    say(f"caught up {sum(counts)}")
    answers = {}
    told = await asyncio.gather(*(client.wait(answers) for client in all))
    assert len(set(told)) == 1, set(told)
    say(f"told {len(told)}")


asyncio.run(main())
