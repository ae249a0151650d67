"""Follows streams of Millrace's edges (the protocol millrace.v1.json), for Python 3.9 and later with `websockets`.

    async with millrace.Client(["ws://127.0.0.1:8080/ws"]) as client:
        readings = client.follow("traffic_data", where={"label": "heavy"})
        async for change in readings:
            print(change.rows)

    stocks = client.follow("stocks", key=["sku"], snapshot=True)
    async for change in stocks:
        print(stocks.rows)          # what the table holds now

A subscription keeps its position: whatever becomes of the connection, it goes on from there on the next edge that
answers. Each row of a log comes once, those of one source in their order. `rows` of a subscription with a key is the
current state: the newest of each key, without those that were deleted or have left the filter.
"""

import asyncio
import itertools
import json
import random
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

PROTOCOL = "millrace.v1.json"
FIRST_RETRY, LAST_RETRY = 0.1, 10.0
#: Changes that wait for whoever iterates before the connection is held back.
WAITING_CHANGES = 100


class Refused(Exception):
    """The edge refuses what was asked, and will again. `code` is for programs."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


@dataclass
class Change:
    """What one message says."""

    rows: list = field(default_factory=list)
    #: Keys, as dictionaries, of rows that are deleted, or no longer let through by the filter.
    deleted: list = field(default_factory=list)
    left: list = field(default_factory=list)
    #: A part of the state that was there when the subscription began.
    is_snapshot: bool = False
    #: `retention` or `epoch`: rows may be missing before this change. What has a snapshot is whole again after it.
    gap: str = None
    #: Where one stands who has taken this change and those before it: with `Subscription.epoch` the `start` of another.
    position: dict = None


class Subscription:
    """Made by `Client.follow`. Iterate over it, which holds the connection back while you don't, or only read `rows`."""

    def __init__(self, client, stream, key, request):
        self._client, self.stream, self.key, self.request = client, stream, key, request
        # One at a time: the edge knows the subscription by another number after each.
        self._updating = asyncio.Lock()
        self._changes, self._isIterated = asyncio.Queue(), False
        self.position, self.epoch, self.sub = None, None, None
        #: Of a subscription with a key: by the key's values.
        self.rows, self._versions = {}, {}
        self.recovered = None
        #: No part of the state is still to come.
        self.is_whole = False
        self.error = None

    def __aiter__(self):
        self._isIterated = True
        return self

    async def __anext__(self):
        change = await self._changes.get()
        self._client._mayGoOn.set()
        if change is None:
            # Whoever asks again is told again.
            self._changes.put_nowait(None)
            raise self.error or StopAsyncIteration
        return change

    async def update(self, **filters):
        """Another filter: `where`, `bbox`. Rows that it does not let through are forgotten by whoever asked."""
        for name, value in filters.items():
            self.request[name] = value
        async with self._updating:
            request = {"type": "update", "sub": self.sub, "where": {}, **self._filters()}
            await self._client._ask(request, lambda answer: self._begin(answer, isUpdate=True))

    def _filters(self):
        return {name: self.request[name] for name in ("where", "bbox") if self.request.get(name) is not None}

    # What the client calls

    async def _say(self, change):
        if change is not None and self._isIterated:
            change.position = dict(self.position or {})
            self._changes.put_nowait(change)
            await self._client._hold(self._changes)

    def _ask(self):
        request = {"type": "subscribe", "stream": self.stream, **self.request}
        if self.position is not None and not self.is_whole:
            # The state was not all there: a position alone would go on without the rest.
            self._forget()
        if self.position is not None:
            request["from"] = {"epoch": self.epoch, "position": self.position}
            request.pop("last", None)
        return request

    def _forget(self):
        """What the table held may be of no row any more."""
        self.position, self.rows, self._versions = None, {}, {}

    def _begin(self, answer, isUpdate=False):
        hadPosition = self.position is not None
        self.sub, self.epoch, self.position = answer["sub"], answer["epoch"], answer["position"]
        self.recovered = answer["recovered"]
        self.is_whole = self.recovered or not (self.request.get("snapshot") or isUpdate and self.key)
        if hadPosition and not self.recovered and "reason" in answer:
            self.rows, self._versions = {}, {}
            return Change(gap=answer["reason"])

    def _take(self, message):
        kind = message["type"]
        if kind == "leave":
            for key in message["keys"]:
                self._drop(key)
            return Change(left=message["keys"])
        if kind == "progress":
            self.position.update(message["position"])
            return None
        change = Change(message["rows"], message.get("deleted", []), is_snapshot=kind == "snapshot")
        if self.key:
            versions = iter(message.get("versions", ()))
            for row in change.rows:
                self._put(row, next(versions, None))
            for key in change.deleted:
                self._drop(key, next(versions, None))
        if kind == "snapshot":
            self.is_whole = self.is_whole or not message["more"]
        else:
            self.position.update(message["position"])
        return change

    def _put(self, row, version):
        key = tuple(row[name] for name in self.key)
        if version is None or version >= self._versions.get(key, 0):
            self.rows[key] = row
            self._versions[key] = version or 0

    def _drop(self, key, version=None):
        key = tuple(key[name] for name in self.key or key)
        if version is None or version >= self._versions.get(key, 0):
            self.rows.pop(key, None)
            if version is not None:
                self._versions[key] = version


class Client:
    """A connection to one edge at a time, made anew while the client is open."""

    def __init__(self, urls, token=None, **options):
        """`urls` is a list, or a function that returns one, asked before each connection; `options` are those of
        `websockets.connect`."""
        self._urls, self._token = urls, token
        self._options = {"max_size": None, "compression": None, "open_timeout": 10, **options}
        self._subscriptions, self._waiting, self._ids = [], {}, itertools.count(1)
        self._socket, self._task, self._isConnected = None, None, asyncio.Event()
        #: Changes were taken, or an answer is waited for that comes behind them.
        self._mayGoOn = asyncio.Event()
        #: Why there is no connection any more.
        self._refusal = None
        #: Subscriptions that begin: a task that nobody holds may vanish.
        self._beginning = set()
        self.reconnects = -1

    async def __aenter__(self):
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_):
        tasks = [self._task, *self._beginning]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def follow(self, stream, key=None, start=None, **request):
        """Rows of a stream from now on. Further words are the request's: `mode`, `max_hz`, `where`, `bbox`, `snapshot`,
        `last`. `start` is an (epoch, position) that another subscription had."""
        subscription = Subscription(self, stream, key, request)
        if start:
            (subscription.epoch, subscription.position), subscription.is_whole = start, True
        self._subscriptions.append(subscription)
        if self._refusal:
            self._end(subscription, self._refusal)
        elif self._isConnected.is_set():
            self._start(subscription)
        return subscription

    async def publish(self, stream, data, key=None):
        """Puts a record into Kafka and returns its place. `Refused`, or `ConnectionError` when nobody knows whether Kafka
        has it."""
        await self._isConnected.wait()
        if self._refusal:
            raise self._refusal
        request = {"type": "publish", "stream": stream, "data": data}
        if key is not None:
            request["key"] = key
        return await self._ask(request)

    # One connection

    async def _run(self):
        for attempt in itertools.count():
            urls = self._urls() if callable(self._urls) else self._urls
            backoff = min(LAST_RETRY, FIRST_RETRY * 2 ** min(attempt, 6)) * random.uniform(0.5, 1)
            try:
                await self._live(urls[attempt % len(urls)])
                delay = 0
            except (OSError, WebSocketException, TimeoutError, asyncio.TimeoutError):
                delay = backoff
            except Refused as error:
                # An edge that has just started says when to try again; a token that does not count will not do later either.
                if not error.args[1:]:
                    return self._giveUp(error)
                delay = max(backoff, error.args[1])
            finally:
                self._isConnected.clear()
            await asyncio.sleep(delay)

    def _giveUp(self, error):
        self._refusal = error
        for subscription in self._subscriptions:
            self._end(subscription, error)
        # Whoever waits for a connection is told.
        asyncio.get_running_loop().call_soon(self._isConnected.set)

    @staticmethod
    def _end(subscription, error):
        subscription.error = error
        subscription._changes.put_nowait(None)

    async def _hold(self, changes):
        """Until what waits is less, or an answer is waited for: it comes behind these."""
        while changes.qsize() >= WAITING_CHANGES and not self._waiting:
            self._mayGoOn.clear()
            await self._mayGoOn.wait()

    async def _live(self, url):
        async with connect(url, subprotocols=[PROTOCOL], **self._options) as self._socket:
            receiving = asyncio.create_task(self._receive())
            try:
                hello = {"type": "connect"}
                if self._token:
                    hello["token"] = self._token
                await self._ask(hello)
                self.reconnects += 1
                self._isConnected.set()
                await asyncio.gather(*(self._begin(one) for one in self._subscriptions))
                await receiving
            except ConnectionError:
                pass
            finally:
                # The next edge has other numbers.
                for one in self._subscriptions:
                    one.sub = None
                receiving.cancel()
                await asyncio.gather(receiving, return_exceptions=True)

    async def _ask(self, request, then=lambda answer: answer):
        """`then` has the answer before any message behind it is looked at."""
        number, future = next(self._ids), asyncio.get_running_loop().create_future()
        self._waiting[number] = (future, then)
        self._mayGoOn.set()
        await self._socket.send(json.dumps({**request, "id": number}))
        return await future

    def _start(self, subscription, delay=0):
        task = asyncio.create_task(self._begin(subscription, delay))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)

    async def _begin(self, subscription, delay=0):
        await asyncio.sleep(delay)
        while True:
            try:
                return await subscription._say(await self._ask(subscription._ask(), subscription._begin))
            except (ConnectionError, WebSocketException):
                return
            except Refused as error:
                if error.args[1:]:
                    await asyncio.sleep(error.args[1])
                    continue
                return self._end(subscription, error)

    async def _receive(self):
        """Until the connection ends, or the edge asks to go elsewhere; then nothing is answered any more."""
        try:
            await self._take_messages()
        finally:
            for future, _ in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError("the connection was lost"))
                    # Nobody may be waiting by now.
                    future.exception()
            self._waiting.clear()

    async def _take_messages(self):
        async for text in self._socket:
            message = json.loads(text)
            kind, (future, then) = message["type"], self._waiting.pop(message.get("id"), (None, None))
            if kind == "goaway":
                await asyncio.sleep(message["reconnect_in_ms"] / 1000)
                return
            if future and not future.done():
                if kind == "error":
                    error = Refused(message["code"], message["message"])
                    if "retry_after_ms" in message:
                        error.args = (message["message"], message["retry_after_ms"] / 1000)
                    future.set_exception(error)
                else:
                    future.set_result(then(message))
                continue
            for subscription in self._subscriptions:
                if subscription.sub == message.get("sub"):
                    await self._hand(subscription, message)

    async def _hand(self, subscription, message):
        kind = message["type"]
        if kind in ("rows", "snapshot", "leave", "progress"):
            change = subscription._take(message)
        elif kind == "reset" and message["reason"] == "retention" and not subscription.key:
            change = Change(gap="retention")
        elif kind == "reset":
            if message["reason"] == "epoch" or subscription.key:
                subscription._forget()
            change = Change(gap=message["reason"])
            subscription.sub = None
            self._start(subscription)
        elif kind == "error":
            change, subscription.sub = None, None
            self._start(subscription, message.get("retry_after_ms", 1000) / 1000)
        else:
            return
        await subscription._say(change)
