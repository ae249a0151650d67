"""Many clients of the protocol millrace.v1.json that come at once, all from the beginning of a stream whose rows are numbers.

usage: crowd.py URL STREAM CLIENTS PARTITIONS LAST

Each client reads until it has had the rows up to LAST; `n` modulo PARTITIONS says in which one a row is. It prints a
line a fault, and at the end `clients N, rows M`.
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect

url, stream = sys.argv[1:3]
clients, partitions, last = map(int, sys.argv[3:6])
faults = []


async def follow(number):
    async with connect(url, subprotocols=["millrace.v1.json"], max_size=None, compression=None, open_timeout=60) as socket:
        await socket.send('{"type":"connect","id":1}')
        await socket.send(json.dumps({"type": "subscribe", "id": 2, "stream": stream}))
        while (answer := json.loads(await socket.recv())).get("id") != 2:
            pass
        sources = answer["position"].keys()
        await socket.send(json.dumps({"type": "unsubscribe", "id": 3, "sub": answer["sub"]}))
        start = {"epoch": answer["epoch"], "position": {source: 0 for source in sources}}
        await socket.send(json.dumps({"type": "subscribe", "id": 4, "stream": stream, "from": start}))
        expected = list(range(partitions))
        rows = 0
        # Of the first subscription there may be some on the way.
        sub = None
        async for text in socket:
            message = json.loads(text)
            if message.get("id") == 4 and message["type"] == "subscribed":
                sub = message["sub"]
            elif message["type"] == "rows":
                if message["sub"] != sub:
                    continue
                for row in message["rows"]:
                    n = row["n"]
                    lane = n % partitions
                    if n != expected[lane]:
                        faults.append(f"client {number}: {n} instead of {expected[lane]}")
                    expected[lane] = n + partitions
                    rows += 1
                if min(expected) > last:
                    return rows
            elif message["type"] in ("error", "reset", "goaway"):
                faults.append(f"client {number}: {text}")
                return rows


async def main():
    rows = await asyncio.gather(*(follow(number) for number in range(clients)))
    for fault in faults[:20]:
        print(fault)
    print(f"clients {clients}, rows {sum(rows)}")


asyncio.run(main())
