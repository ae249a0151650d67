import Postgres

/// The tables and functions that Millrace keeps beside its streams' tables: `millrace` unless configured.
package struct MillraceSchema: Hashable, Sendable {
    /// Quoted as an identifier.
    package let name: String
    /// As catalogs have it.
    package let unquotedName: String

    /// Raised when letters were replayed by someone else meanwhile: as with a lost claim, positions are read again.
    static let replayedMeanwhileState = PostgresError.claimLostState

    package init(name: String = "millrace") {
        self.name = Connection.identifier(name)
        unquotedName = name
    }

    /// Version 1 of the tables that every fleet needs.
    var tablesSQL: String {
        """
        CREATE TABLE IF NOT EXISTS \(name).stream (
            name text PRIMARY KEY, epoch uuid NOT NULL DEFAULT gen_random_uuid(), definition jsonb NOT NULL);
        CREATE TABLE IF NOT EXISTS \(name).source (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream text NOT NULL, cluster_id text NOT NULL, topic text NOT NULL, partition int NOT NULL,
            incarnation int NOT NULL, start_offset bigint NOT NULL, next_offset bigint NOT NULL,
            claim uuid, backend_pid int, backend_start timestamptz, generation bigint NOT NULL DEFAULT 0,
            paused_by text, retained_from bigint, replaced_from bigint, retired_at timestamptz,
            open_from bigint NOT NULL, open_records bigint NOT NULL DEFAULT 0, open_rows bigint NOT NULL DEFAULT 0,
            open_dead bigint NOT NULL DEFAULT 0, open_skipped bigint NOT NULL DEFAULT 0,
            open_checksum bigint NOT NULL DEFAULT 0,
            UNIQUE (cluster_id, topic, partition, incarnation)
        ) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
        CREATE TABLE IF NOT EXISTS \(name).ledger (
            source_id int NOT NULL, from_offset bigint NOT NULL, to_offset bigint NOT NULL,
            records bigint NOT NULL, rows bigint NOT NULL, dead bigint NOT NULL, skipped bigint NOT NULL,
            checksum bigint NOT NULL, closed_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (source_id, from_offset));
        CREATE TABLE IF NOT EXISTS \(name).dead_letter (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            source_id int NOT NULL, source_offset bigint NOT NULL, stream text NOT NULL,
            reason_code text NOT NULL, reason text NOT NULL, key bytea, value bytea,
            headers jsonb, record_timestamp timestamptz, failed_at timestamptz NOT NULL DEFAULT now(),
            replay_requested_at timestamptz, replay_reason text, replayed_at timestamptz, purged_at timestamptz,
            UNIQUE (source_id, source_offset));
        CREATE INDEX IF NOT EXISTS dead_letter_stream ON \(name).dead_letter (stream, id);
        CREATE INDEX IF NOT EXISTS dead_letter_requested ON \(name).dead_letter (stream, id)
            WHERE replay_requested_at IS NOT NULL;
        CREATE TABLE IF NOT EXISTS \(name).change (
            source_id int NOT NULL, source_offset bigint NOT NULL, stream text NOT NULL,
            key jsonb NOT NULL, row_version bigint NOT NULL);
        CREATE INDEX IF NOT EXISTS change_source ON \(name).change (source_id, source_offset);
        CREATE TABLE IF NOT EXISTS \(name).audit (
            at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL, action text NOT NULL, detail jsonb);
        """
    }

    /// Version 2: a topic that is made again has another id, where the broker and the library tell.
    var topicIDSQL: String { "ALTER TABLE \(name).source ADD COLUMN IF NOT EXISTS topic_id text;" }

    /// Version 3: what made a source that begins a partition anew, so that records which were read twice by mistake are told
    /// from those that somebody asked for. A reset's audit entry has the time of its transaction.
    var begunBySQL: String {
        """
        ALTER TABLE \(name).source ADD COLUMN IF NOT EXISTS begun_by text;
        UPDATE \(name).source s SET begun_by = 'reset' FROM \(name).source o JOIN \(name).audit a
            ON a.at = o.retired_at AND a.action = 'reset'
        WHERE (o.cluster_id, o.topic, o.partition, o.incarnation) = (s.cluster_id, s.topic, s.partition, s.incarnation - 1);
        """
    }

    /// Version 5: before it changes of keyed rows have been deleted, so that who resumes from there is told.
    var changesFromSQL: String { "ALTER TABLE \(name).source ADD COLUMN IF NOT EXISTS changes_from bigint;" }

    /// Whole, as of the newest version: see `Migrations`.
    var functionsSQL: String {
        """
        -- Locks the sources of a transaction in the order of their ids and advances those whose claim and position
        -- are the caller's. Otherwise raises MR001, and names the others in its detail: nothing else of the
        -- transaction then counts.
        CREATE OR REPLACE FUNCTION \(name).fence(
            held uuid, ids int[], froms bigint[], tos bigint[], opened bigint[], records bigint[], rows_ bigint[],
            dead bigint[], skipped bigint[], checksums bigint[]) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE lost text;
        BEGIN
            PERFORM 1 FROM \(name).source WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
            SELECT string_agg(f.id::text, ',' ORDER BY f.id) INTO lost
            FROM unnest(ids, froms) AS f (id, from_offset)
            LEFT JOIN \(name).source s ON s.id = f.id AND s.claim = held AND s.next_offset = f.from_offset
            WHERE s.id IS NULL;
            IF lost IS NOT NULL THEN
                RAISE EXCEPTION 'sources are held by another claim' USING ERRCODE = 'MR001', DETAIL = lost;
            END IF;
            UPDATE \(name).source s SET next_offset = f.to_offset, open_from = f.opened, open_records = f.records,
                open_rows = f.rows_, open_dead = f.dead, open_skipped = f.skipped, open_checksum = f.checksum
            FROM unnest(ids, tos, opened, records, rows_, dead, skipped, checksums)
                AS f (id, to_offset, opened, records, rows_, dead, skipped, checksum)
            WHERE s.id = f.id;
        END $$;

        -- Takes sources over. The backend that held one is ended first, since it may hold the row's lock in a
        -- transaction whose client is gone; its pid counts only together with its start.
        CREATE OR REPLACE FUNCTION \(name).take_claim(held uuid, ids int[], generation_ bigint, member_ text)
        RETURNS SETOF \(name).source LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_terminate_backend(a.pid, 5000) FROM \(name).source s
            JOIN pg_stat_activity a ON a.pid = s.backend_pid AND a.backend_start = s.backend_start
            WHERE s.id = ANY (ids) AND a.pid <> pg_backend_pid();
            PERFORM 1 FROM \(name).source WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
            RETURN QUERY UPDATE \(name).source s SET claim = held, generation = generation_, member = member_,
                backend_pid = pg_backend_pid(),
                backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
            WHERE s.id = ANY (ids) AND s.retired_at IS NULL
                AND (s.generation <= generation_ OR s.member IS DISTINCT FROM member_) RETURNING s.*;
        END $$;

        -- As workers of versions before members ask.
        CREATE OR REPLACE FUNCTION \(name).take_claim(held uuid, ids int[], generation_ bigint)
        RETURNS SETOF \(name).source LANGUAGE sql AS $$ SELECT * FROM \(name).take_claim(held, ids, generation_, NULL); $$;

        -- After a connection was lost: ends the old backend, whose COMMIT may still be under way, and returns those
        -- sources that are still the caller's, with their positions as they are from now on.
        CREATE OR REPLACE FUNCTION \(name).resume_claim(held uuid, ids int[])
        RETURNS SETOF \(name).source LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_terminate_backend(a.pid, 5000) FROM \(name).source s
            JOIN pg_stat_activity a ON a.pid = s.backend_pid AND a.backend_start = s.backend_start
            WHERE s.id = ANY (ids) AND s.claim = held AND a.pid <> pg_backend_pid();
            PERFORM 1 FROM \(name).source WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
            RETURN QUERY UPDATE \(name).source s SET backend_pid = pg_backend_pid(),
                backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
            WHERE s.id = ANY (ids) AND s.claim = held AND s.retired_at IS NULL RETURNING s.*;
        END $$;

        -- Gives sources back, so that the next holder ends no backend that works for others.
        CREATE OR REPLACE FUNCTION \(name).drop_claim(held uuid, ids int[]) RETURNS void LANGUAGE sql AS $$
            UPDATE \(name).source SET claim = NULL, backend_pid = NULL, backend_start = NULL
            WHERE id = ANY (ids) AND claim = held;
        $$;

        -- Retires a source and begins the same partition anew. Its ledger stays: of what is read again and replaced,
        -- `replaced_from` says where it begins. Going forward, a fleet that runs may have come past the start: then
        -- nothing is read again.
        CREATE OR REPLACE FUNCTION \(name).reset_source(
            old int, wanted bigint, forward boolean, replaces boolean) RETURNS int LANGUAGE sql AS $$
            WITH retired AS (
                UPDATE \(name).source SET retired_at = now(), claim = NULL,
                    replaced_from = CASE WHEN replaces AND wanted < next_offset THEN wanted END
                WHERE id = old AND retired_at IS NULL
                RETURNING *, CASE WHEN forward THEN greatest(wanted, next_offset) ELSE wanted END AS start)
            INSERT INTO \(name).source (stream, cluster_id, topic, partition, incarnation, start_offset, next_offset,
                open_from, paused_by, topic_id)
            SELECT stream, cluster_id, topic, partition,
                (SELECT max(incarnation) + 1 FROM \(name).source o WHERE o.cluster_id = r.cluster_id
                    AND o.topic = r.topic AND o.partition = r.partition), start, start, start, paused_by, topic_id
            FROM retired r RETURNING id;
        $$;

        -- Adds up ledger entries that were closed longer ago, to one an hour and source. Entries of a source are
        -- neighbours, so those of an hour are one run of offsets; checksums are added modulo 2^64.
        CREATE OR REPLACE FUNCTION \(name).fold_ledger(age interval) RETURNS bigint LANGUAGE plpgsql AS $$
        DECLARE folded bigint;
        BEGIN
            WITH hours AS (
                SELECT source_id, date_trunc('hour', closed_at) AS hour, min(from_offset) AS first,
                    max(to_offset) AS last, sum(records) AS records, sum(rows) AS rows, sum(dead) AS dead,
                    sum(skipped) AS skipped, mod(sum(checksum::numeric), 18446744073709551616) AS checksum,
                    max(closed_at) AS closed
                FROM \(name).ledger WHERE closed_at < date_trunc('hour', now() - age)
                GROUP BY 1, 2 HAVING count(*) > 1),
            gone AS (
                DELETE FROM \(name).ledger l USING hours h WHERE l.source_id = h.source_id
                    AND l.from_offset > h.first AND l.to_offset <= h.last RETURNING 1),
            kept AS (
                UPDATE \(name).ledger l SET to_offset = h.last, records = h.records, rows = h.rows, dead = h.dead,
                    skipped = h.skipped, closed_at = h.closed,
                    checksum = CASE WHEN h.checksum >= 9223372036854775808 THEN h.checksum - 18446744073709551616
                        WHEN h.checksum < -9223372036854775808 THEN h.checksum + 18446744073709551616
                        ELSE h.checksum END
                FROM hours h WHERE l.source_id = h.source_id AND l.from_offset = h.first RETURNING 1)
            SELECT count(*) INTO folded FROM gone;
            RETURN folded;
        END $$;

        -- Marks dead letters as replayed, in the transaction that writes their rows: all of them, or nothing counts.
        CREATE OR REPLACE FUNCTION \(name).mark_replayed(letters bigint[]) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE marked bigint;
        BEGIN
            UPDATE \(name).dead_letter SET replayed_at = now(), replay_requested_at = NULL, replay_reason = NULL
            WHERE id = ANY (letters) AND replayed_at IS NULL;
            GET DIAGNOSTICS marked = ROW_COUNT;
            IF marked <> cardinality(letters) THEN
                RAISE EXCEPTION 'dead letters were replayed meanwhile'
                    USING ERRCODE = '\(Self.replayedMeanwhileState)';
            END IF;
        END $$;

        -- Whether what is copied into a table is what it then holds: no trigger is fired by it, in no partition.
        CREATE OR REPLACE FUNCTION \(name).is_plain(held regclass) RETURNS boolean LANGUAGE sql STABLE AS $$
            SELECT NOT EXISTS (
                SELECT 1 FROM pg_trigger WHERE (tgrelid = held OR tgrelid IN (SELECT relid FROM pg_partition_tree(held)))
                    AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 4 = 4);
        $$;

        CREATE OR REPLACE FUNCTION \(name).require_plain(held regclass) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF NOT \(name).is_plain(held) THEN
                RAISE EXCEPTION 'table % has triggers', held USING ERRCODE = '\(PostgresError.triggerState)';
            END IF;
        END $$;

        CREATE OR REPLACE FUNCTION \(name).require_stored(stored bigint, sent bigint) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            IF stored <> sent THEN
                RAISE EXCEPTION 'a trigger of the table keeps the row out'
                    USING ERRCODE = '\(PostgresError.missingRowsState)';
            END IF;
        END $$;

        -- True when every staged key was written; otherwise some sum fell below its minimum.
        CREATE OR REPLACE FUNCTION \(name).require_all(written bigint, staged bigint) RETURNS boolean
        LANGUAGE plpgsql AS $$
        BEGIN
            IF written <> staged THEN
                RAISE EXCEPTION 'a sum would fall below its minimum' USING ERRCODE = 'MR002';
            END IF;
            RETURN true;
        END $$;
        \(userFunctionsSQL)
        """
    }
}
