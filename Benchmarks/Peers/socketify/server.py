"""server.py shipped|tuned: each record of TOPIC to each client."""

import os
import sys
import threading

from confluent_kafka import Consumer, TopicPartition
from socketify import App, OpCode
from socketify.native import ffi, lib

TUNED = sys.argv[1] == "tuned"
PACE_MS = 20
# No client of a measurement says anything: one would be closed after two minutes.
SOCKETS = {"idle_timeout": 960, "open": lambda ws: ws.subscribe("feed")}
if TUNED:
    SOCKETS["max_backpressure"] = 16 << 20


def value_of(message):
    if message.error():
        sys.exit(message.error().str())
    return message.value()


def open_topic():
    """From where the topic ends now: what comes after this is delivered."""
    topic = os.environ["TOPIC"]
    consumer = Consumer({"bootstrap.servers": os.environ["BROKERS"], "group.id": "socketify", "enable.auto.commit": False})
    partitions = [TopicPartition(topic, number) for number in range(int(os.environ["PARTITIONS"]))]
    for partition in partitions:
        partition.offset = consumer.get_watermark_offsets(partition, timeout=30)[1]
    consumer.assign(partitions)
    return consumer


def publish(value):
    app.publish("feed", value, OpCode.TEXT)


def follow():
    while True:
        message = consumer.poll(1)
        if message:
            app.loop.loop.call_soon_threadsafe(publish, value_of(message))


def take(_):
    for message in consumer.consume(10_000, 0):
        publish(value_of(message))


# What App.listen does with a host, but for one thing: that frees the host's text before uWebSockets reads it.
@ffi.callback("void(struct us_listen_socket_t *, uws_app_listen_config_t, void *)")
def listening(socket, *_):
    if not socket:
        os._exit(1)  # the port is taken; an exception would only be printed here
    print("ready")


def listen(port):
    host = ffi.new("char[]", b"127.0.0.1")
    config = ffi.new("uws_app_listen_config_t *", {"port": port, "host": host, "options": 0})
    lib.uws_app_listen_with_config(app.SSL, app.app, config[0], listening, ffi.NULL)


app = App()
app.ws("/connection/websocket", SOCKETS)
consumer = open_topic()
listen(int(os.environ["PORT"]))
if TUNED:
    pace = app.loop.uv_loop.create_timer(PACE_MS, PACE_MS, take, None)
    app.loop.uv_loop.run()
else:
    threading.Thread(target=follow, daemon=True).start()
    app.run()
