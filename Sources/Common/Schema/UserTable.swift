/// Who may sign in at edges.
extension MillraceSchema {
    /// Version 5. Tokens from before `changed_at` count no more: it moves with a password, and when a user is disabled.
    ///
    /// Versions before made the table in `public`, where many databases have one of that name themselves. What is in ours is
    /// taken over once, and it stays where it is; one of anybody else's is left alone.
    var usersSQL: String {
        """
        CREATE TABLE IF NOT EXISTS \(name).users (
            username text PRIMARY KEY, password_hash text NOT NULL, role text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(), disabled boolean NOT NULL DEFAULT false,
            changed_at timestamptz NOT NULL DEFAULT now());
        DO $$
        BEGIN
            IF (SELECT array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relname = 'users' AND c.relkind = 'r' AND a.attnum > 0
                    AND NOT a.attisdropped)
                = ARRAY['id bigint', 'username text', 'password_hash text', 'role text',
                    'created_at timestamp with time zone', 'disabled boolean']
            THEN
                INSERT INTO \(name).users (username, password_hash, role, created_at, disabled)
                SELECT username, password_hash, role, created_at, disabled FROM public.users ON CONFLICT DO NOTHING;
            END IF;
        END $$;
        """
    }

    /// For the role of an edge, which may not read the table: one user's hash, and whether users that it knows have changed.
    /// They run with the rights of whoever made them, so they look nowhere but where they say, and nobody may call them who was
    /// not given the right.
    var userFunctionsSQL: String {
        """

        -- What a password is checked against.
        CREATE OR REPLACE FUNCTION \(name).user_login(name_ text)
        RETURNS TABLE (password_hash text, role text, disabled boolean, changed bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
            SELECT u.password_hash, u.role, u.disabled, (extract(epoch FROM u.changed_at) * 1000000)::bigint
            FROM \(name).users u WHERE u.username = name_;
        $$;

        -- Whether tokens that these have still count, and as what.
        CREATE OR REPLACE FUNCTION \(name).user_states(names text[])
        RETURNS TABLE (username text, role text, disabled boolean, changed bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
            SELECT u.username, u.role, u.disabled, (extract(epoch FROM u.changed_at) * 1000000)::bigint
            FROM \(name).users u WHERE u.username = ANY (names);
        $$;
        REVOKE ALL ON FUNCTION \(name).user_login(text), \(name).user_states(text[]) FROM PUBLIC;
        """
    }
}
