"""Clients of a log whose rows are numbers, by the library in clients/python: many, each moved at random from edge to edge.

usage: log.py EDGES STREAM EPOCH COUNT STOP PARTITIONS < REQUESTS

As state.py, from the beginning of the log. `n` modulo PARTITIONS says in which partition a row is, whose rows have to come in
their order. At the end a client prints `state NUMBER {"rows":…,"sum":…,"faults":[…]}`.
"""

import asyncio
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/python"))
import millrace  # noqa: E402
import moves  # noqa: E402

edges, stream, epoch, count, stop, partitions = sys.argv[1:]
requests = [json.loads(line) for line in sys.stdin]


def urls():
    return moves.urls(edges)


def ends():
    return moves.ends(stop)


class Seen:
    def __init__(self):
        self.rows, self.sum, self.faults, self.last = 0, 0, [], {}

    def add(self, row):
        n = row["n"]
        lane = n % int(partitions)
        if n <= self.last.get(lane, -1) and len(self.faults) < 5:
            self.faults.append(f"{n} after {self.last[lane]}")
        self.last[lane] = n
        self.rows += 1
        self.sum += n

    def text(self):
        return json.dumps({"rows": self.rows, "sum": self.sum, "faults": self.faults})


async def follow(number):
    seen, position = Seen(), {}
    loop = asyncio.get_running_loop()
    while True:
        async with millrace.Client(urls) as client:
            one = client.follow(stream, start=(epoch, position), **requests[number % len(requests)])
            changes = aiter(one)
            end = loop.time() + random.uniform(0.2, 3)
            while True:
                try:
                    change = await asyncio.wait_for(anext(changes), 0.2)
                except asyncio.TimeoutError:
                    # Where all that came has been taken; something may have come right now.
                    if one._changes.empty():
                        position = dict(one.position)
                else:
                    position = change.position
                    if change.gap:
                        print("gap", number, change.gap, flush=True)
                    for row in change.rows:
                        seen.add(row)
                wanted = ends()
                if wanted and all(position.get(source, 0) >= next for source, next in wanted.items()):
                    print("state", number, seen.text(), flush=True)
                    return
                if not wanted and loop.time() > end:
                    break


async def main():
    await asyncio.gather(*(follow(number) for number in range(int(count))))


asyncio.run(main())
