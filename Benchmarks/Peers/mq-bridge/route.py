"""Records of a topic into a table by a route of mq-bridge: route.py shipped|tuned GROUP."""

import logging
import os
import sys

from mq_bridge import Route, init_logging

logging.basicConfig(level=logging.WARNING)
init_logging()

tuned, env = sys.argv[1] == "tuned", os.environ
route = {
    "input": {"kafka": {
        "url": env["BROKERS"], "topic": env["TOPIC"], "group_id": sys.argv[2],
        "consumer_options": [["auto.offset.reset", "earliest"]],
    }},
    "output": {"sqlx": {
        "url": f"postgres://{env['PGHOST']}:{env['PGPORT']}/{env['PGDATABASE']}",
        "username": env["PGUSER"], "password": env["PGPASSWORD"],
        "table": env["TABLE"], "columns": "auto",
    }},
}
if tuned:
    # Values bound as they are go into one INSERT per batch; with casts beside them, it is one per row. So the table has
    # text where JSON has.
    names = ("seq", "timestamp", "stream_id", "location", "longitude", "latitude", "numbers_of_cars", "label", "type")
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f"${{payload:{name}}}" for name in names)
    sink = route["output"]["sqlx"]
    del sink["columns"]
    sink["insert_query"] = f"INSERT INTO {env['TABLE']} ({columns}) VALUES ({values}) ON CONFLICT (seq) DO NOTHING"
    route.update(batch_size=5000, concurrency=2, required_delivery="effectively_once")
Route.from_config(route, "cars").run()
