"""Django's PostgreSQL backend for RDS: a fresh password at each connect, one connection that survives the freeze."""

import re
import time
from types import TracebackType
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import DatabaseErrorWrapper, OperationalError
from django.utils.functional import cached_property

from serverless_django.postgresql.addresses import connect_within
from serverless_django.postgresql.cursors import BoundedCursor
from serverless_django.postgresql.iam_password import read_password, sign_token
from serverless_django.postgresql.liveness import answers, has_something_to_read
from serverless_django.postgresql.pins import PinGuard, allow_pin, refuse, report

REFUSED = re.compile("(password|PAM|IAM) authentication failed")
"""libpq gives no error code for a refused login, only the server's words."""

CONNECT_TIMEOUT_SECONDS = 3

IDLE_SECONDS = 30
"""After so long without use the server may have gone without closing the connection: Lambda was frozen."""

ANSWER_SECONDS = 0.5
"""What a living server takes at most for a trivial answer.  With a connect after it stays under 4 s."""

ON_PIN = {"refuse": refuse, "report": report}
"""Values of `OPTIONS["pinning_statements"]`; any other value sets no guard."""


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL with an IAM token for a password, or with that of `OPTIONS["secret_arn"]`.

    The token is signed each time a connection opens, not when settings load: it lives for
    15 minutes, an environment for hours.  `OPTIONS["iam"]` asks for it.
    """

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        super().__init__(settings_dict, alias)
        on_pin = ON_PIN.get(settings_dict["OPTIONS"].get("pinning_statements", ""))
        self._guard = PinGuard(on_pin, measures=False) if on_pin else None
        if self._guard:
            self.execute_wrappers.append(self._guard)
        self._looked_at = 0.0
        self.is_demoted = False
        """The server has become a standby and refuses writes: another server is the primary now."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return libpq's parameters, with the password and without the options of this backend."""
        params: dict[str, Any] = super().get_connection_params()
        params.pop("pinning_statements", None)
        params.setdefault("connect_timeout", CONNECT_TIMEOUT_SECONDS)
        if params["cursor_factory"] is base.Cursor:
            params["cursor_factory"] = BoundedCursor
        secret_arn, iam = params.pop("secret_arn", ""), params.pop("iam", False)
        if secret_arn:
            params["password"] = read_password(secret_arn)
        elif iam:
            params["password"] = sign_token(host=params["host"], port=params["port"], user=params["user"])
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect with `conn_params`, and once more with a new password if this one is refused.

        The password may just have been rotated.
        """
        try:
            return connect_within(conn_params, super().get_new_connection)
        except psycopg.OperationalError as error:
            if not REFUSED.search(str(error)):
                raise
            return connect_within(self.get_connection_params(), super().get_new_connection)

    def connect(self) -> None:
        super().connect()
        self._looked_at = time.time()
        self.is_demoted = False

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = super().create_cursor(name)
        if self._guard and isinstance(cursor, BoundedCursor):
            cursor.check_length = self._guard.check_length
        return cursor

    def close_if_unusable_or_obsolete(self) -> None:
        # A rollback that succeeds makes Django forget its error, and the one that ends a demoted connection's use does.
        self.errors_occurred: bool = self.errors_occurred or self.is_demoted
        super().close_if_unusable_or_obsolete()

    def close_if_health_check_failed(self) -> None:
        """Look at the socket before the first statement of a request: microseconds instead of a round trip."""
        if self.connection is None or self.health_check_done:
            return
        # Unrequested data on the socket nearly always means that the server has closed the connection.
        if (has_something_to_read(self.connection) or self._has_rested()) and not self.is_usable():
            self.close()
        self.health_check_done: bool = True
        self._looked_at = time.time()

    def is_usable(self) -> bool:
        if self.connection is None or self.is_demoted or self.connection.closed:
            return False
        return answers(self.connection, within_seconds=ANSWER_SECONDS)

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _ErrorWrapper(self)

    def set_autocommit(self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False) -> None:
        """Switch `autocommit`, without connecting just for that: the next connection begins with it.

        `force_begin_transaction_with_broken_autocommit` is Django's.  A transaction that has lost its connection ends
        here.
        """
        if autocommit and self.connection is None:
            self.autocommit = True
            return
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)

    def check_constraints(self, table_names: Any = None) -> None:
        with allow_pin("only tests and loaddata ask, and they have their own session"):
            super().check_constraints(table_names)

    def _has_rested(self) -> bool:
        # Wall-clock time: the monotonic clock may stop while Lambda is frozen.
        return abs(time.time() - self._looked_at) > IDLE_SECONDS


class _ErrorWrapper(DatabaseErrorWrapper):
    """Notices a server that has become a standby, whose connections would otherwise last and fail forever."""

    wrapper: DatabaseWrapper

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            self.wrapper.is_demoted = True
            raise OperationalError(f"{error}; the next request opens a new connection") from error
        super().__exit__(kind, error, traceback)
