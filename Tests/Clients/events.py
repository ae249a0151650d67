"""A client of Server-Sent Events that does what a browser's EventSource does, and loses its connection at any byte.

usage: events.py EDGES STREAM QUERY [SEED]

EDGES is a file with an edge's WebSocket URL a line; it is read again before each connection, and edges take turns. The
client keeps nothing but the id of its last event and what `retry` said (https://html.spec.whatwg.org/multipage/server-sent-events.html).
With a SEED each connection is cut after a random number of bytes. Each line it prints is `row JSON`,
`subscribed URL RECOVERED`, `reset REASON`, `goaway RETRY` or `refused STATUS`, after which it ends as a browser's would. It ends with SIGTERM.
"""

import http.client
import itertools
import json
import random
import signal
import sys
import time
import urllib.parse

edges, stream, query = sys.argv[1:4]
chance = random.Random(int(sys.argv[4])) if len(sys.argv) > 4 else None
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def say(*words):
    print(*words, flush=True)


class Source:
    last_id = ""
    retry = 0.05

    def read(self, url):
        """Until the connection is lost."""
        address = urllib.parse.urlparse(url)
        connection = http.client.HTTPConnection(address.netloc, timeout=60)
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        left = int(chance.expovariate(1 / 20_000)) if chance else 1 << 60
        try:
            connection.request("GET", f"/v1/streams/{stream}/events?{query}", headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                say("refused", answer.status)
                sys.exit(1)
            rest, data, id = b"", [], self.last_id
            while left > 0 and (piece := answer.read1(min(left, 65_536))):
                left -= len(piece)
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    name, _, value = line.decode().partition(":")
                    value = value.removeprefix(" ")
                    if not line:
                        self.last_id = id
                        if data:
                            self.told(url, json.loads("\n".join(data)))
                        data = []
                    elif name == "data":
                        data.append(value)
                    elif name == "id":
                        id = value
                    elif name == "retry":
                        self.retry = int(value) / 1000
        finally:
            connection.close()

    def told(self, url, message):
        kind = message["type"]
        if kind == "subscribed":
            say("subscribed", url, message["recovered"])
        elif kind in ("rows", "snapshot"):
            for row in message["rows"]:
                say("row", json.dumps(row, separators=(",", ":"), sort_keys=True))
        elif kind == "reset":
            say("reset", message["reason"])
        elif kind == "goaway":
            say("goaway", self.retry)


source = Source()
for turn in itertools.count():
    with open(edges) as file:
        urls = file.read().split()
    try:
        source.read(urls[turn % len(urls)])
    except (OSError, http.client.HTTPException):
        pass
    # A browser waits as long as it was told; what is cut all the time need not.
    time.sleep(0.02 if chance else source.retry)
