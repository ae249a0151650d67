"""Records of a topic into a table by COPY, with their offsets in the same transaction: each record is there once.

consumer.py shipped|tuned GROUP. Partitions are assigned by hand and begin where the table of offsets says. In `tuned`
each of PROCESSES processes has a share of them."""

import os
import signal
import sys
from datetime import datetime
from multiprocessing import Process
from multiprocessing.connection import wait
from uuid import UUID

import orjson
import psycopg
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

PROCESSES = 2
COLUMNS = ("seq", "timestamp", "stream_id", "location", "longitude", "latitude", "numbers_of_cars", "label", "type")
TYPES = ("int8", "timestamptz", "uuid", "text", "float8", "float8", "int4", "text", "text")


def consume(binary, group, partitions):
    topic, table = os.environ["TOPIC"], os.environ["TABLE"]
    batch = 5000 if binary else 500
    names = ", ".join(f'"{column}"' for column in COLUMNS)
    copy_rows = f"COPY {table} ({names}) FROM STDIN" + (" (FORMAT binary)" if binary else "")
    keep = """INSERT INTO kafka_offsets VALUES (%s, %s, %s, %s)
              ON CONFLICT (consumer, topic, partition) DO UPDATE SET next = excluded.next"""

    with psycopg.connect() as database:  # PGHOST and so on are libpq's own
        found = dict(database.execute("SELECT partition, next FROM kafka_offsets WHERE consumer = %s AND topic = %s",
                                      (group, topic)).fetchall())
        database.commit()
        consumer = Consumer({"bootstrap.servers": os.environ["BROKERS"], "group.id": group,
                             "enable.auto.commit": False, "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(topic, p, found.get(p, OFFSET_BEGINNING)) for p in partitions])
        while True:
            messages = consumer.consume(batch, timeout=0.5)
            if not messages:
                continue
            offsets = {}
            with database.transaction(), database.cursor() as cursor:
                with cursor.copy(copy_rows) as copy:
                    if binary:
                        copy.set_types(TYPES)
                    for message in messages:
                        if message.error():
                            raise RuntimeError(message.error())
                        row = orjson.loads(message.value())
                        if binary:  # Postgres parses no text here
                            row["timestamp"] = datetime.fromisoformat(row["timestamp"])
                            row["stream_id"] = UUID(row["stream_id"])
                        copy.write_row([row[column] for column in COLUMNS])
                        offsets[message.partition()] = message.offset() + 1
                cursor.executemany(keep, [(group, topic, partition, next) for partition, next in offsets.items()])


def main():
    binary, group, partitions = sys.argv[1] == "tuned", sys.argv[2], range(int(os.environ["PARTITIONS"]))
    with psycopg.connect(autocommit=True) as database:
        database.execute("""CREATE TABLE IF NOT EXISTS kafka_offsets (
            consumer text, topic text, partition int, next bigint NOT NULL, PRIMARY KEY (consumer, topic, partition))""")
    count = PROCESSES if binary else 1
    workers = [Process(target=consume, args=(binary, group, partitions[i::count]), daemon=True) for i in range(count)]
    for worker in workers:
        worker.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # which ends the workers too
    wait([worker.sentinel for worker in workers])
    sys.exit("a worker ended")


if __name__ == "__main__":
    main()
