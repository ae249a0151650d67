"""A client of the protocol millrace.v1.json that is not ours: follows a stream for ever, on whichever edge there is.

usage: follow.py EDGES STREAM

EDGES is a file with an edge's URL a line; it is read again before each connection, and edges take turns. After a loss
the client goes on from its own position. Each line it prints is `row JSON`, `subscribed URL RECOVERED` or
`reset REASON`. It ends with SIGTERM.
"""

import itertools
import json
import signal
import sys
import time

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

edges, stream = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def say(*words):
    print(*words, flush=True)


def follow(url, start):
    """Until the connection is lost; `start` is moved along."""
    with connect(url, subprotocols=["millrace.v1.json"], max_size=None, compression=None, open_timeout=5) as socket:
        socket.send(json.dumps({"type": "connect", "id": 1}))
        request = {"type": "subscribe", "id": 2, "stream": stream}
        if start:
            request["from"] = start
        socket.send(json.dumps(request))
        for text in socket:
            message = json.loads(text)
            kind = message["type"]
            if kind == "subscribed":
                start["epoch"] = message["epoch"]
                start["position"] = message["position"]
                say("subscribed", url, message["recovered"])
            elif kind == "rows":
                for row in message["rows"]:
                    say("row", json.dumps(row, separators=(",", ":"), sort_keys=True))
                start["position"].update(message["position"])
            elif kind == "progress":
                start["position"].update(message["position"])
            elif kind == "reset":
                say("reset", message["reason"])
            elif kind == "error":
                # Not followed yet, or Postgres is away: asked again.
                time.sleep(message.get("retry_after_ms", 1000) / 1000)
                return
            elif kind == "goaway":
                return


start = {}
for turn in itertools.count():
    with open(edges) as file:
        urls = file.read().split()
    try:
        follow(urls[turn % len(urls)], start)
    except (OSError, WebSocketException, TimeoutError):
        time.sleep(0.05)
