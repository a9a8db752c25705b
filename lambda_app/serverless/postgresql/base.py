"""Django's PostgreSQL backend for RDS: a fresh password at each connect, one connection that survives the freeze."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from lambda_app.serverless.postgresql.tokens import read_password, sign_token

REFUSED = "password authentication failed"
"""libpq gives no error code for a refused login, only the server's words."""


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL with an IAM token for a password, or with that of `OPTIONS["secret_arn"]`.

    The token is signed each time a connection opens, not when settings load: it lives for
    15 minutes, an environment for hours.
    """

    def get_connection_params(self) -> dict[str, Any]:
        """Return libpq's parameters, with the password and without `secret_arn`."""
        params: dict[str, Any] = super().get_connection_params()
        secret_arn = params.pop("secret_arn", "")
        password = read_password(secret_arn) if secret_arn else _token(params)
        return params | {"password": password}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect, and once more with a new password if this one is refused: it may just have been rotated."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            if REFUSED not in str(error):
                raise
            return super().get_new_connection(self.get_connection_params())

    def close_if_health_check_failed(self) -> None:
        """Look at the socket before the first statement of a request: microseconds instead of a round trip."""
        if self.connection is None or self.health_check_done:
            return
        # Something to read while nothing was asked is almost always the server's goodbye.  If not, the server answers.
        if _has_something_to_read(self.connection) and not self.is_usable():
            self.close()
        self.health_check_done: bool = True


def _token(params: dict[str, Any]) -> str:
    return sign_token(host=params["host"], port=params["port"], user=params["user"])


def _has_something_to_read(connection: "psycopg.Connection[Any]") -> bool:
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
