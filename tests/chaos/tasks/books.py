"""The bank's tables, and those of the yardsticks."""

ACCOUNTS = 500

SCHEMA = """
    CREATE TABLE bank_order (key text NOT NULL, account int NOT NULL, amount int NOT NULL);
    CREATE TABLE bank_ledger (key text NOT NULL, account int NOT NULL, amount int NOT NULL);
    CREATE TABLE bank_notice (key text NOT NULL);
    CREATE TABLE bank_account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
    INSERT INTO bank_account SELECT number, 0 FROM generate_series(0, 499) AS number;
    CREATE INDEX ON bank_order (key);
    CREATE TABLE idempotency_record (
        id text PRIMARY KEY, status text NOT NULL, expires_at bigint, in_progress_until bigint, data text
    );
"""
CLEAR = """
    TRUNCATE bank_order, bank_ledger, bank_notice, idempotency_record;
    UPDATE bank_account SET balance = 0 WHERE balance <> 0;
    TRUNCATE serverless_outbox, serverless_receipt, serverless_failed_call;
"""
