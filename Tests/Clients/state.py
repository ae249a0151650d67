"""Clients of tables of one row a key, by the library in clients/python: many, each moved at random from edge to edge.

usage: state.py EDGES STREAM KEY COUNT STOP < REQUESTS

EDGES is a file with an edge's URL a line, read again before each connection. REQUESTS is a line of JSON a client, in turns: the
members of its subscription. Each client ends its connection at random; when the file STOP is there, each prints its state once
what the file says, a JSON object of positions, has come to it: `state NUMBER JSON`, the rows sorted. `gap NUMBER REASON` is
printed at once.
"""

import asyncio
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/python"))
import millrace  # noqa: E402
import moves  # noqa: E402

edges, stream, key, count, stop = sys.argv[1:]
requests = [json.loads(line) for line in sys.stdin]


def urls():
    return moves.urls(edges)


def ends():
    return moves.ends(stop)


async def follow(number):
    request = dict(requests[number % len(requests)])
    keep = None
    while True:
        async with millrace.Client(urls) as client:
            if keep is None:
                one = client.follow(stream, key=key.split(","), **request)
            else:
                one = client.follow(stream, key=key.split(","), start=(keep.epoch, keep.position), **request)
                one.rows, one._versions = keep.rows, keep._versions
            changes = asyncio.create_task(gaps(one, number))
            life = random.uniform(0.2, 3)
            end = asyncio.get_running_loop().time() + life
            while asyncio.get_running_loop().time() < end or not one.is_whole or ends():
                await asyncio.sleep(0.05)
                wanted = ends()
                if wanted and one.position and one.is_whole:
                    if all(one.position.get(source, 0) >= next for source, next in wanted.items()):
                        print("state", number, json.dumps(sorted(one.rows.values(), key=json.dumps)), flush=True)
                        changes.cancel()
                        await asyncio.gather(changes, return_exceptions=True)
                        return
            # A position counts only where the state that it stands for was there.
            keep = one
        changes.cancel()
        await asyncio.gather(changes, return_exceptions=True)


async def gaps(one, number):
    async for change in one:
        if change.gap:
            print("gap", number, change.gap, flush=True)


async def main():
    await asyncio.gather(*(follow(number) for number in range(int(count))))


asyncio.run(main())
