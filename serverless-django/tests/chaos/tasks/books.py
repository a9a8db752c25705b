"""The bank's tables, and those of the yardsticks."""

ACCOUNTS = 500

SCHEMA = """
    CREATE TABLE bank_order (key text NOT NULL, account int NOT NULL, amount int NOT NULL);
    CREATE TABLE bank_ledger (key text NOT NULL, account int NOT NULL, amount int NOT NULL);
    CREATE TABLE bank_notice (key text NOT NULL);
    CREATE TABLE bank_account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
    INSERT INTO bank_account SELECT number, 0 FROM generate_series(0, 499) AS number;
    CREATE INDEX ON bank_order (key);
    CREATE TABLE bank_group (name text PRIMARY KEY, lines int NOT NULL DEFAULT 0);
    INSERT INTO bank_group SELECT 'g' || number FROM generate_series(0, 9) AS number;
    CREATE TABLE bank_line (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, number int NOT NULL
    );
    CREATE TABLE idempotency_record (
        id text PRIMARY KEY, status text NOT NULL, expires_at bigint, in_progress_until bigint, data text
    );
"""
"""A line is numbered in its group by the transaction that orders it, in the order of their commits."""

WRITTEN = """
    SELECT (SELECT count(*) FROM bank_ledger) + (SELECT count(*) FROM bank_notice) + (SELECT count(*) FROM bank_line)
"""
LINES_LOST = """
    SELECT (SELECT sum(lines) FROM bank_group)
         - (SELECT count(*) FROM (SELECT DISTINCT name, number FROM bank_line) AS written)
"""
LINES_DOUBLED = "SELECT count(*) - count(DISTINCT (name, number)) FROM bank_line"
OUT_OF_ORDER = """
    SELECT count(*) FROM (
        SELECT number < max(number) OVER (PARTITION BY name ORDER BY position) AS is_late FROM bank_line
    ) AS line WHERE is_late
"""
PROMISE_TO_REMOVED_QUEUE = """
    INSERT INTO serverless_outbox (id, queue, body, send_after)
    SELECT gen_random_uuid(), 'removed', 'for a queue that is gone', now() FROM generate_series(1, 5)
"""
UNSENT = "SELECT count(*) FROM serverless_outbox WHERE queue <> 'removed'"
SET_ASIDE = "SELECT count(*) FROM serverless_outbox WHERE queue = 'removed'"

CLEAR = """
    TRUNCATE bank_order, bank_ledger, bank_notice, bank_line, idempotency_record;
    UPDATE bank_group SET lines = 0 WHERE lines <> 0;
    UPDATE bank_account SET balance = 0 WHERE balance <> 0;
    TRUNCATE serverless_outbox, serverless_receipt, serverless_failed_call;
"""
