"""Many clients of the protocol millrace.v1.json that come at once, all from the beginning of a stream that goes on meanwhile.

usage: resume.py URL STREAM CLIENTS ENDS

Each reads until it has come to the positions in the file ENDS, JSON like {"SOURCE": OFFSET}, which may appear while they
read. It prints a line a fault, the rows that the first one saw, each after `row `, and at the end `clients N, others M`,
where M counts those that saw something else than the first.
"""

import asyncio
import json
import os
import sys

from websockets.asyncio.client import connect

url, stream, count, path = sys.argv[1:5]
count = int(count)
faults = []
cache = {}


def ends():
    if not cache and os.path.exists(path):
        with open(path) as file:
            cache.update(json.load(file))
    return cache


async def follow(number):
    rows = []
    async with connect(url, subprotocols=["millrace.v1.json"], max_size=None, compression=None, open_timeout=60) as socket:
        await socket.send('{"type":"connect","id":1}')
        await socket.send(json.dumps({"type": "subscribe", "id": 2, "stream": stream}))
        while (answer := json.loads(await socket.recv())).get("id") != 2:
            pass
        await socket.send(json.dumps({"type": "unsubscribe", "id": 3, "sub": answer["sub"]}))
        position = {source: 0 for source in answer["position"]}
        again = json.dumps(
            {"type": "subscribe", "id": 4, "stream": stream, "from": {"epoch": answer["epoch"], "position": position}}
        )
        await socket.send(again)
        # Of the first subscription there may be messages on the way.
        sub = None
        async for text in socket:
            message = json.loads(text)
            kind = message["type"]
            if message.get("id") == 4 and kind == "subscribed":
                sub = message["sub"]
            elif message.get("sub", sub) != sub:
                continue
            if kind == "rows":
                rows.extend(json.dumps(row, separators=(",", ":")) for row in message["rows"])
            elif message.get("code") == "unavailable" and message.get("id") == 4:
                # Postgres does not answer right now: one asks again.
                await asyncio.sleep(message["retry_after_ms"] / 1000)
                await socket.send(again)
            elif kind in ("error", "reset", "goaway"):
                faults.append(f"client {number}: {text}")
                return rows
            elif kind == "subscribed" and not message["recovered"]:
                faults.append(f"client {number}: {text}")
            position.update(message.get("position", {}))
            if ends() and all(position.get(source, 0) >= end for source, end in ends().items()):
                return rows


async def main():
    seen = await asyncio.gather(*(follow(number) for number in range(count)))
    for fault in faults[:20]:
        print(fault)
    for row in seen[0]:
        print("row " + row)
    # Only within a partition there is an order.
    print(f"clients {count}, others {sum(sorted(rows) != sorted(seen[0]) for rows in seen)}")


asyncio.run(main())
