"""The parameters of PostgreSQL, from the memory of the machine that runs it.

Sizes follow the rules of PGTune (https://pgtune.leopard.in.ua, profile "web application") for solid-state storage.
"""

from collections.abc import Mapping
from datetime import timedelta

from serverless_django.deploy.config import Stage
from serverless_django.deploy.config.fit import max_connections_of, memory_gb_of
from serverless_django.deploy.config.instances import instance_of

PARAMETERS: Mapping[str, str] = {
    # Plans are logged without timing each of their nodes, which would cost every statement.
    "auto_explain.log_analyze": "0",
    "auto_explain.log_format": "json",
    "auto_explain.log_nested_statements": "1",
    "checkpoint_completion_target": "0.9",
    "deadlock_timeout": "1000",
    "default_statistics_target": "100",
    # Functions are killed without a word: their transactions must not hold locks forever.
    "idle_in_transaction_session_timeout": "30000",
    "log_autovacuum_min_duration": "1000",
    "log_lock_waits": "1",
    "log_temp_files": "0",
    "pg_stat_statements.track": "all",
    # A random read costs a solid-state disk little more than the next one in order.
    "random_page_cost": "1.1",
    "rds.force_ssl": "1",
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    # RDS Proxy refuses options at connect and pins a session that says SET, so limits and zone stand here.
    "statement_timeout": "29000",
    "timezone": "UTC",
    "track_io_timing": "1",
}

LOGGED_WITHOUT_VALUES: Mapping[str, str] = {
    "auto_explain.log_parameter_max_length": "0",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    # Django writes short values into the text of a statement, and DETAIL quotes the row that broke a constraint:
    # errors and lock waits are logged without either.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
"""Keeps captions, stored answers and session tokens out of the log, which is kept for months."""

OF_THE_DISK = ("checkpoint_completion_target", "random_page_cost")
"""Aurora keeps its storage elsewhere and sets these itself."""

KB_PER_PAGE = 8
MAX_MAINTENANCE_KB = 2 * 1024 * 1024
MIN_WORK_KB = 64


def parameters_of(stage: Stage) -> Mapping[str, str]:
    """Return what the parameter group of `stage`'s database holds."""
    if stage.database_engine == "aurora":
        # Its memory changes by the minute, and Aurora's own sizes with it.
        shared = {name: value for name, value in _shared(stage).items() if name not in OF_THE_DISK}
        return shared | {"max_connections": str(max_connections_of(stage))}
    return {**_shared(stage), **_sizes(stage)}


def _shared(stage: Stage) -> dict[str, str]:
    slow = stage.logged_statement
    threshold = "-1" if slow is None else str(slow // timedelta(milliseconds=1))
    durations = {"auto_explain.log_min_duration": threshold, "log_min_duration_statement": threshold}
    return {**PARAMETERS, **LOGGED_WITHOUT_VALUES, **durations}


def _sizes(stage: Stage) -> dict[str, str]:
    memory_kb = int(memory_gb_of(stage) * 1024 * 1024)
    processors = instance_of(stage.database_instance_class).processors
    connections = max_connections_of(stage)
    shared_kb = memory_kb // 4
    # Three sorts or hashes at once in each connection that is busy.
    work_kb = (memory_kb - shared_kb) // (connections * 3)
    return {
        "max_connections": str(connections),
        "shared_buffers": str(shared_kb // KB_PER_PAGE),
        "effective_cache_size": str(memory_kb * 3 // 4 // KB_PER_PAGE),
        "maintenance_work_mem": str(min(memory_kb // 16, MAX_MAINTENANCE_KB)),
        "work_mem": str(max(work_kb, MIN_WORK_KB)),
        "max_worker_processes": str(max(8, processors)),
        "max_parallel_workers": str(processors),
        "max_parallel_workers_per_gather": str(max(1, min(4, processors // 2))),
        "min_wal_size": "1024",
        "max_wal_size": "4096",
    }
