"""The database role of the functions: rows, never tables."""

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from serverless_django.contract.environment import APPLICATION_ROLE

ROLE_SETTINGS = {
    # Where the server agrees with it Django sends no SET, which would pin the session to one connection of the proxy.
    "timezone": "UTC",
    # A little less than a gateway waits for an answer.
    "statement_timeout": "28s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}


def ensure_application_role(connection: BaseDatabaseWrapper) -> None:
    """Create or correct the role `app` over `connection`: login by IAM where there is IAM, least rights.

    Safe to repeat.
    """
    role = sql.Identifier(APPLICATION_ROLE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname IN (%s, 'rds_iam')", [APPLICATION_ROLE])
        roles = {name for (name,) in cursor.fetchall()}
        if APPLICATION_ROLE not in roles:
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        if "rds_iam" in roles:
            cursor.execute(sql.SQL("GRANT rds_iam TO {}").format(role))
        for statement in (*_settings(role), *_grants(role)):
            cursor.execute(statement)


def _settings(role: sql.Identifier) -> list[sql.Composed]:
    return [
        sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(value))
        for name, value in ROLE_SETTINGS.items()
    ]


def _grants(role: sql.Identifier) -> list[sql.Composed]:
    rows = "SELECT, INSERT, UPDATE, DELETE"
    statements = [
        "GRANT USAGE ON SCHEMA public TO {}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA public TO {{}}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}",
        # For what the next migrations create, as soon as they have created it.
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {rows} ON TABLES TO {{}}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {}",
        "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}",
    ]
    return [sql.SQL(statement).format(role) for statement in statements]
