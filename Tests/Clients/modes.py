"""Each mode of an edge, spoken by python3-websockets: what modes.js does, in another language.

usage: modes.py URL OTHER-URL PREFIX

Two edges of a fleet with an append stream `readings`, whose newest rows are kept, and a table `things`; PREFIX makes the keys this
client's own. A line a mode tells what came.
"""

import itertools
import json
import sys
import time

from websockets.sync.client import connect

first, second, prefix = sys.argv[1:]
ids = itertools.count(1)


class Client:
    def __init__(self, url):
        self.socket = connect(url, subprotocols=["millrace.v1.json"], max_size=None, open_timeout=60)
        self.waiting = []
        self.ask(type="connect")

    def receive(self):
        return json.loads(self.socket.recv(timeout=60))

    def ask(self, **request):
        number = next(ids)
        self.socket.send(json.dumps({**request, "id": number}))
        while (answer := self.receive()).get("id") != number:
            self.waiting.append(answer)
        assert answer["type"] != "error", answer
        return answer

    def heard(self, sub, *types):
        """The next message of a subscription, of these types."""
        while True:
            message = self.waiting.pop(0) if self.waiting else self.receive()
            if message.get("sub") == sub and message["type"] in types:
                return message

    def rows(self, sub, count):
        """So many rows, and the position behind them."""
        found, position = [], {}
        while len(found) < count:
            message = self.heard(sub, "rows")
            found += [row["n"] for row in message["rows"]]
            position.update(message["position"])
        return found, position

    def publish(self, stream, name, **values):
        return self.ask(type="publish", stream=stream, data={"id": prefix + name, "kind": prefix, **values})


def subscribed(client, **request):
    """Asked again while the edge has not heard of the stream."""
    while True:
        try:
            return client.ask(type="subscribe", **request)
        except AssertionError as error:
            if "retry_after_ms" not in error.args[0]:
                raise
            time.sleep(0.1)


def plain():
    with connect(first + "?subscribe=readings&ack=true", open_timeout=60) as c:
        c.send(json.dumps({"id": prefix + "plain", "kind": prefix, "n": 7}))
        seen = {}
        while len(seen) < 2:
            message = json.loads(c.recv(timeout=60))
            if "ack" in message:
                seen["ack"] = message["ack"]["topic"]
            elif message["id"] == prefix + "plain":
                seen["row"] = message["n"]
        print("plain:", seen["ack"], seen["row"])


def log():
    c = Client(first)
    where = {"id": [prefix + "log"]}
    begun = subscribed(c, stream="readings", where=where)
    acks = [c.publish("readings", "log", n=n)["type"] for n in (1, 2, 3)]
    rows, position = c.rows(begun["sub"], 3)
    print("log:", *acks, *rows)
    c.socket.close()
    other = Client(second)
    for n in (4, 5):
        other.publish("readings", "log", n=n)
    start = {"epoch": begun["epoch"], "position": {**begun["position"], **position}}
    resumed = subscribed(other, stream="readings", where=where, **{"from": start})
    print("resume:", str(resumed["recovered"]).lower(), *other.rows(resumed["sub"], 2)[0])
    other.socket.close()


def latest():
    c = Client(first)
    begun = subscribed(c, stream="readings", mode="latest", max_hz=2, where={"id": [prefix + "latest"]})
    start, messages, n = time.monotonic(), 0, 0
    for number in range(1, 51):
        c.publish("readings", "latest", n=number)
    while n < 50:
        n = c.heard(begun["sub"], "rows")["rows"][-1]["n"]
        messages += 1
    isSlow = messages <= 2 * (time.monotonic() - start) + 2
    print("latest:", n, "at most 2 a second" if isSlow else messages)
    c.socket.close()


def keyed():
    c = Client(first)
    for n, name in enumerate("abc"):
        c.publish("things", name, n=n, longitude=1, latitude=1)
    # They are stored when somebody who follows them has seen the last.
    state = {}
    begun = subscribed(c, stream="things", snapshot=True, where={"kind": [prefix]})
    while len(state) < 3:
        message = c.heard(begun["sub"], "snapshot", "rows")
        state.update({row["id"]: version for row, version in zip(message["rows"], message["versions"])})
    c.publish("things", "b", n=9, longitude=1, latitude=1)
    changed = c.heard(begun["sub"], "rows")
    while changed["rows"][0]["n"] != 9:
        changed = c.heard(begun["sub"], "rows")
    print("keyed:", *sorted(key.removeprefix(prefix) for key in state), changed["versions"][0])
    c.ask(type="unsubscribe", sub=begun["sub"])
    begun = subscribed(c, stream="things", snapshot=True, bbox=[5, 5, 9, 9], where={"kind": [prefix]})
    while c.heard(begun["sub"], "snapshot")["more"]:
        pass
    c.publish("things", "a", n=10, longitude=6, latitude=6)
    entered = c.heard(begun["sub"], "rows")["rows"][0]["id"]
    c.publish("things", "a", n=11, longitude=1, latitude=6)
    left = c.heard(begun["sub"], "leave")["keys"][0]["id"]
    print("filter:", entered.removeprefix(prefix), left.removeprefix(prefix))
    c.socket.close()


plain()
log()
latest()
keyed()
