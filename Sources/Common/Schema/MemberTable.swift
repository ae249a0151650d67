/// Several hosts that are one fleet.
extension MillraceSchema {
    /// Version 8. What coordinators say about themselves, once a second: not worth a log, and empty after a crash of Postgres.
    /// A generation is a member's own, and compared with that member's only.
    var membersSQL: String {
        """
        CREATE UNLOGGED TABLE IF NOT EXISTS \(name).member (
            name text PRIMARY KEY, group_name text NOT NULL, owns_schema boolean NOT NULL, version int NOT NULL,
            seen_at timestamptz NOT NULL DEFAULT now(), report jsonb NOT NULL, request jsonb) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
        ALTER TABLE \(name).source ADD COLUMN IF NOT EXISTS member text;
        """
    }
}
