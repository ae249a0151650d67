"""Attacks on an edge's connections, each of which has to end as it should; run by HostileTests.

usage: hostile.py HOST:PORT COMMAND…

    frames       what no library would send, on the protocol's connections and plain ones
    requests     heads and bodies that break the rules, or are too long
    nonsense     requests of the protocol that can't be meant
    flood        more requests than answers are read
    deaf N       N subscribers that read nothing
    crowd N      N WebSockets of this address at once; prints what becomes of those beyond a limit

Each prints a line an attack: its name and how it ended. While they run, /livez is asked over and over: a line tells how often it
was not answered, at the end.
"""

import http.client
import json
import os
import resource
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from frames import BINARY, CONTINUATION, PING, PONG, TEXT, Raw, frame, handshake  # noqa: E402

address = sys.argv[1]
host, port = address.rsplit(":", 1)
protocol = "millrace.v1.json"


def say(name, *words):
    print(f"{name}:", *words, flush=True)


def opened():
    """A connection that has said who it is: nobody."""
    c = Raw(address, protocol=protocol)
    c.send(frame(TEXT, b'{"type":"connect","id":0}'))
    c.text()
    return c


def ask(c, request):
    c.send(frame(TEXT, request if isinstance(request, bytes) else json.dumps(request).encode()))
    while isinstance(answer := c.text(), str):
        message = json.loads(answer)
        # What a subscription is told has none.
        if "id" in message:
            return message.get("code", message["type"])
    return answer


def ends(*pieces, connect=opened):
    c = connect()
    try:
        c.send(*pieces)
    except ConnectionError:
        pass
    return c.end()


def http_answer(text):
    """The status of what is answered to these bytes, or `no word`."""
    with socket.create_connection((host, int(port)), timeout=60) as s:
        try:
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while more := s.recv(65536):
                answer += more
        except OSError:
            pass
    return answer.split(b" ")[1].decode() if answer.startswith(b"HTTP/1.1 ") else "no word"


def frames():
    for name, pieces in (
        ("reserved bit", [frame(TEXT, b"x", reserved=4)]),
        ("unknown opcode", [frame(3, b"x")]),
        ("text that is no UTF-8", [frame(TEXT, b'{"type":"\xff"}')]),
        ("binary", [frame(BINARY, b"x")]),
        ("a continuation of nothing", [frame(CONTINUATION, b"x")]),
        ("65,537 bytes", [frame(TEXT, b"x" * 65537)]),
        ("fragments without end", [frame(TEXT, b"x", final=False)] + [frame(CONTINUATION, b"x" * 500, final=False)] * 200),
        ("a frame of 2^62 bytes", [frame(TEXT, b"x" * 70000, length=2**62)]),
    ):
        say(name, ends(*pieces)[0], ends(*pieces, connect=lambda: Raw(address))[0])
    say("no mask", ends(frame(TEXT, b"x", masked=False), connect=lambda: Raw(address))[0])
    c = opened()
    c.send(frame(TEXT, b"", final=False), *[frame(CONTINUATION, b"", final=False)] * 5000, frame(CONTINUATION))
    say("5,000 fragments of nothing", json.loads(c.text())["code"])
    c.send(*(frame(PING, b"%d" % n) for n in range(1000)))
    say("1,000 pings", sum(c.next()[0] == PONG for _ in range(1000)))


def requests():
    line = b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    for name, text in (
        ("a head of 100 kB", line + b"X: " + b"y" * 100_000 + b"\r\n\r\n"),
        ("10,000 fields", line + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\n"),
        ("a path of 100 kB", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("no HTTP", os.urandom(50_000) + b"\r\n\r\n"),
        ("a zero in the path", b"GET /v1/streams/a%00b/rows HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
        ("a body that is chunked", b"POST /v1/streams/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ("a body of unknown length", b"POST /v1/streams/events HTTP/1.1\r\nHost: a\r\n\r\n{}"),
        ("a body of 2^63 bytes", b"POST /v1/streams/events HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n{}"),
        ("a password of 1 MB", b"POST /v1/token HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000),
        ("an upgrade to HTTP/2", line + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"),
        ("version 7 of WebSockets", handshake().replace(b"Version: 13", b"Version: 7")),
        ("no key", handshake().replace(b"Sec-WebSocket-Key", b"X-Key")),
        ("no host", handshake().replace(b"Host", b"X-Host")),
        ("another page", handshake(headers=["Origin: https://evil.example"])),
        ("another page's POST", b"POST /v1/streams/events HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"),
        ("a page without a name", handshake(headers=["Origin: null"])),
    ):
        say(name, http_answer(text))


def nonsense():
    c = opened()
    evil = "x'; DROP TABLE events; --"
    subscribe = {"type": "subscribe", "id": 1, "stream": "events"}
    deep = "[" * 30_000 + "]" * 30_000
    for name, request in (
        ("SQL as a stream", {**subscribe, "stream": evil}),
        ("SQL as a column", {**subscribe, "where": {evil: 1}}),
        ("SQL as a value of another type", {**subscribe, "where": {"n": evil}}),
        ("SQL as a bound", {**subscribe, "where": {"n": {"gte": evil}}}),
        ("SQL as a kind of bound", {**subscribe, "where": {"n": {evil: 1}}}),
        ("SQL as a source", {**subscribe, "from": {"epoch": "e", "position": {evil: 1}}}),
        ("an unknown column", {**subscribe, "where": {"m": 1}}),
        ("a position that is none", {**subscribe, "from": {"epoch": "e", "position": {"1": -5}}}),
        ("a box that is none", {**subscribe, "bbox": [1, 2, 3]}),
        ("a box without columns", {**subscribe, "bbox": [1, 2, 3, 4]}),
        ("a value with a zero", {**subscribe, "where": {"who": "a\0b"}}),
        ("2,000 values", {**subscribe, "where": {"n": list(range(2000))}}),
        ("more rows than may be", {**subscribe, "last": 10**9}),
        ("a huge number", b'{"type":"subscribe","id":1,"stream":"events","last":1e400}'),
        ("half a surrogate", b'{"type":"subscribe","id":1,"stream":"\\ud800"}'),
        ("depth", b'{"type":"subscribe","id":1,"stream":"events","where":' + deep.encode() + b"}"),
        ("depth of a record", b'{"type":"publish","id":1,"stream":"events","data":{"n":1,"x":' + deep.encode() + b"}}"),
        ("no JSON", b"{" * 60_000),
        ("a subscription of nobody", {"type": "unsubscribe", "id": 1, "sub": 10**15}),
    ):
        say(name, ask(c, request))
    say("SQL as a value", ask(c, {**subscribe, "where": {"who": evil}}))
    say("SQL as an epoch", ask(c, {**subscribe, "from": {"epoch": evil, "position": {}}}))
    many = [ask(c, {**subscribe, "where": {"n": n}}) for n in range(20)]
    say("20 subscriptions", many.count("subscribed") <= 16, many[-1])
    say("the connection", ask(c, {"type": "connect", "id": 1}))


def flood():
    c = opened()
    request = frame(TEXT, json.dumps({"type": "nothing", "id": "x" * 60_000}).encode())
    # Who does not take answers is not read from: what it sends stays with it.
    c.socket.settimeout(3)
    try:
        for _ in range(200):
            c.send(request)
        say("requests without reading", c.end()[0])
    except TimeoutError:
        say("requests without reading", "held back")


def deaf(count):
    held = []
    for _ in range(int(count)):
        c = opened()
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert ask(c, {"type": "subscribe", "id": 1, "stream": "events"}) == "subscribed"
        held.append(c)
    say("deaf", len(held))
    # Until the caller has seen them go.
    sys.stdin.readline()


def crowd(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(int(count), hard - 100)
    held, statuses = [], {}
    # Few at once, or those beyond the limit would leave no room for who asks for health.
    for begin in range(0, count, 40):
        for _ in range(begin, min(count, begin + 40)):
            s = socket.create_connection((host, int(port)), timeout=60)
            try:
                s.sendall(handshake())
            except ConnectionError:
                pass
            held.append(s)
        for s in held[begin:]:
            try:
                status = s.recv(1000).split(b" ")[1:2]
            except ConnectionError:
                status = []
            status = status[0].decode() if status else "no word"
            statuses[status] = statuses.get(status, 0) + 1
    say("crowd", json.dumps(statuses, sort_keys=True))
    # Until the caller has looked around.
    sys.stdin.readline()
    for s in held:
        s.close()


class Watch(threading.Thread):
    """Asks /livez until it is told to end."""

    def __init__(self):
        super().__init__(daemon=True)
        self.isEnding, self.asked, self.silent = False, 0, 0

    def run(self):
        while not self.isEnding:
            try:
                connection = http.client.HTTPConnection(host, int(port), timeout=30)
                connection.request("GET", "/livez")
                isAlive = connection.getresponse().status == 200
                connection.close()
            except (OSError, http.client.HTTPException):
                isAlive = False
            self.asked += 1
            self.silent += not isAlive
            time.sleep(0.02)


watch = Watch()
watch.start()
words = sys.argv[2:]
while words:
    name = words.pop(0)
    if name in ("crowd", "deaf"):
        {"crowd": crowd, "deaf": deaf}[name](words.pop(0))
    else:
        {"frames": frames, "requests": requests, "nonsense": nonsense, "flood": flood}[name]()
watch.isEnding = True
watch.join()
say("livez", "asked" if watch.asked else "never asked", watch.silent)
