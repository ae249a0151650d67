"""Records of a topic into a table by Pathway: pipeline.py shipped|tuned GROUP."""

import os
import sys

import pathway as pw

tuned, env = sys.argv[1] == "tuned", os.environ


class Car(pw.Schema):
    seq: int = pw.column_definition(primary_key=tuned)
    timestamp: str
    stream_id: str
    location: str
    longitude: float
    latitude: float
    numbers_of_cars: int
    label: str
    type: str


cars = pw.io.kafka.read(
    {"bootstrap.servers": env["BROKERS"], "group.id": sys.argv[2], "auto.offset.reset": "earliest"},
    topic=env["TOPIC"], format="json", schema=Car, name="topic", **({"autocommit_duration_ms": 500} if tuned else {}),
)
cars = cars.with_columns(timestamp=cars.timestamp.dt.strptime("%Y-%m-%dT%H:%M:%S.%fZ").dt.to_utc("UTC"))
pw.io.postgres.write(
    cars,
    {"host": env["PGHOST"], "port": env["PGPORT"], "dbname": env["PGDATABASE"],
     "user": env["PGUSER"], "password": env["PGPASSWORD"]},
    env["TABLE"],
    **({"output_table_type": "snapshot", "primary_key": [cars.seq]} if tuned else {}),
)
pw.run(
    monitoring_level=pw.MonitoringLevel.NONE,
    persistence_config=pw.persistence.Config(pw.persistence.Backend.filesystem(env["STATE"] + "/persistence")),
)
