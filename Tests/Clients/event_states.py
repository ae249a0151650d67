"""Clients of tables of one row a key, as browsers would be by Server-Sent Events: many, each cut at any byte and moved from edge to edge.

usage: event_states.py EDGES STREAM KEY COUNT STOP < REQUESTS

As state.py, which is the same for WebSockets. Of the connection before they keep their rows and the id of the last event.
"""

import asyncio
import json
import os
import random
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/python"))
import contract  # noqa: E402
import millrace  # noqa: E402
import moves  # noqa: E402

edges, stream, key, count, stop = sys.argv[1:]
requests = [json.loads(line) for line in sys.stdin]


def ends():
    return moves.ends(stop)


def query(request):
    texts = {}
    for name, value in request.items():
        texts[name] = ",".join(map(str, value)) if name == "bbox" else value if isinstance(value, str) else json.dumps(value)
    return urllib.parse.urlencode(texts)


class Client:
    def __init__(self, number):
        self.number, self.request, self.last_id = number, requests[number % len(requests)], None
        self.table = millrace.Subscription(None, stream, key.split(","), self.request)

    def told(self, message):
        contract.told(message, "events")
        kind = message["type"]
        if kind == "subscribed":
            if "reason" in message:
                print("gap", self.number, message["reason"], flush=True)
            if not message["recovered"]:
                # What it had, if only a part, is of no position.
                self.table._forget()
            self.table._begin(message)
        elif kind in ("rows", "snapshot", "leave", "progress"):
            self.table._take(message)
        elif kind == "reset":
            print("gap", self.number, message["reason"], flush=True)

    def is_done(self):
        wanted, table = ends(), self.table
        return wanted and table.is_whole and all(table.position.get(source, 0) >= next for source, next in wanted.items())

    async def connection(self, url, byte_count):
        address = urllib.parse.urlparse(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            field = f"Last-Event-ID: {self.last_id}\r\n" if self.last_id else ""
            writer.write(f"GET /v1/streams/{stream}/events?{query(self.request)} HTTP/1.1\r\nHost: x\r\n{field}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            rest, data, id = b"", None, self.last_id
            while byte_count > 0 and not self.is_done():
                try:
                    piece = await asyncio.wait_for(reader.read(min(byte_count, 65_536)), 0.5)
                except asyncio.TimeoutError:
                    continue
                if not piece:
                    return
                byte_count -= len(piece)
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    name, _, value = line.decode().partition(": ")
                    if name == "data":
                        data = json.loads(value)
                    elif name == "id":
                        id = value
                    elif not name:
                        self.last_id = id
                        if data:
                            self.told(data)
                        data = None
        finally:
            writer.close()

    async def follow(self):
        while not self.is_done():
            with open(edges) as file:
                url = random.choice(file.read().split())
            try:
                # Some are cut within the head of a table, some see much.
                await self.connection(url, int(random.expovariate(1 / random.choice([300, 5_000, 100_000]))))
            except (OSError, asyncio.IncompleteReadError):
                pass
            await asyncio.sleep(0.02)
        print("state", self.number, json.dumps(sorted(self.table.rows.values(), key=json.dumps)), flush=True)


async def main():
    await asyncio.gather(*(Client(number).follow() for number in range(int(count))))


asyncio.run(main())
