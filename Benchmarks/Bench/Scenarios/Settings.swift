import Common

extension Scenario {
    /// What settings and indexes of Postgres's cost or give.
    static var settings: Scenario {
        let table = BuiltInStreams.all()[0].table
        func fleet(latest: Bool = false, _ preparation: String...) -> (Arena) throws -> Measured {
            var fleet = Fleet.append(latest: latest)
            fleet.preparation = preparation
            return fleet.run
        }
        func database(_ setting: String) -> String {
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET \(setting)', current_database()); END $$"
        }
        let contestants: KeyValuePairs = [
            "as it is": fleet(),
            // Sessions set it to on, whatever the database says; a trigger comes after that.
            "synchronous_commit = off": fleet(
                """
                CREATE FUNCTION unsynced() RETURNS trigger LANGUAGE plpgsql AS
                    $$ BEGIN PERFORM set_config('synchronous_commit', 'off', true); RETURN NULL; END $$;
                CREATE TRIGGER unsynced AFTER INSERT ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION unsynced()
                """),
            "wal_compression = lz4": fleet(database("wal_compression = lz4")),
            "BRIN (timestamp)": fleet("CREATE INDEX ON \(table) USING brin (\"timestamp\")"),
            "B-tree (timestamp)": fleet("CREATE INDEX ON \(table) (\"timestamp\")"),
            "B-tree (stream_id, timestamp)": fleet("CREATE INDEX ON \(table) (stream_id, \"timestamp\")"),
            "unlogged": fleet("ALTER TABLE \(table) SET UNLOGGED"),
            "latest": fleet(latest: true),
            "latest, fillfactor 100": fleet(latest: true, "ALTER TABLE \(table)_latest SET (fillfactor = 100)"),
        ]
        return Scenario(
            name: "settings", title: "Kafka to Postgres, 4 shards, by Postgres's settings and indexes",
            load: Load.readings,
            contestants: { contestants.map { Contestant(name: $0.key, run: $0.value) } },
            ratios: contestants.dropFirst().map { other in
                let base = other.key.hasPrefix("latest,") ? "latest" : "as it is"
                return Ratio(name: "\(other.key) / \(base)") { $0[other.key]!.value / $0[base]!.value }
            })
    }
}
