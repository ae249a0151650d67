"""Records of a topic into a table by Quix Streams' own sink: consumer.py shipped|tuned GROUP."""

import os
import signal
import sys
from multiprocessing import Process
from multiprocessing.connection import wait

from quixstreams import Application
from quixstreams.sinks.community.postgresql import PostgreSQLSink


def consume(tuned, group):
    application = Application(
        broker_address=os.environ["BROKERS"], consumer_group=group, auto_offset_reset="earliest",
        state_dir=os.environ["STATE"], loglevel="WARNING",
        # The sink writes when the application commits: by default every 5 s.
        **({"commit_every": 10000, "commit_interval": 1.0} if tuned else {}),
    )
    sink = PostgreSQLSink(
        host=os.environ["PGHOST"], port=int(os.environ["PGPORT"]), dbname=os.environ["PGDATABASE"],
        user=os.environ["PGUSER"], password=os.environ["PGPASSWORD"], table_name=os.environ["TABLE"],
        include_metadata=False,  # else a column `timestamp` of its own takes the place of the records'
        **({"schema_auto_update": False, "on_conflict_do_nothing": True} if tuned else {}),
    )
    application.dataframe(application.topic(os.environ["TOPIC"], value_deserializer="json")).sink(sink)
    application.run()


def main():
    tuned, group = sys.argv[1] == "tuned", sys.argv[2]
    workers = [Process(target=consume, args=(tuned, group), daemon=True) for _ in range(2 if tuned else 1)]
    for worker in workers:
        worker.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # which ends the workers too
    wait([worker.sentinel for worker in workers])
    sys.exit("a worker ended")


if __name__ == "__main__":
    main()
