"""Records of a topic into a table one by one: an INSERT and a COMMIT for each, then its offset to Kafka.

consumer.py shipped|tuned GROUP. In `tuned` a process for each partition, offsets to Kafka without waiting, and inserts
that pass over a seq that is there."""

import json
import os
import signal
import sys
from multiprocessing import Process
from multiprocessing.connection import wait

import psycopg
from confluent_kafka import Consumer

COLUMNS = ("seq", "timestamp", "stream_id", "location", "longitude", "latitude", "numbers_of_cars", "label", "type")


def consume(tuned, group):
    names = ", ".join(f'"{column}"' for column in COLUMNS)
    values = ", ".join(f"%({column})s" for column in COLUMNS)
    insert = f"INSERT INTO {os.environ['TABLE']} ({names}) VALUES ({values})"
    if tuned:
        insert += " ON CONFLICT (seq) DO NOTHING"
    consumer = Consumer({"bootstrap.servers": os.environ["BROKERS"], "group.id": group,
                         "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    consumer.subscribe([os.environ["TOPIC"]])
    with psycopg.connect() as database:  # PGHOST and so on are libpq's own
        while True:
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                raise RuntimeError(message.error())
            database.execute(insert, json.loads(message.value()))
            database.commit()
            consumer.commit(message, asynchronous=tuned)


def main():
    tuned, group = sys.argv[1] == "tuned", sys.argv[2]
    count = int(os.environ["PARTITIONS"]) if tuned else 1
    workers = [Process(target=consume, args=(tuned, group), daemon=True) for _ in range(count)]
    for worker in workers:
        worker.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # which ends the workers too
    wait([worker.sentinel for worker in workers])
    sys.exit("a worker ended")


if __name__ == "__main__":
    main()
