"""What MiniStack lacks, added to it from outside: the only place that touches its private names.

Run as a program by `emulator`, which asserts the version.  Each gap names what AWS does:

- python functions run in `environments`, under AWS's runtime client, instead of MiniStack's own worker;
- AWS::RDS::DBInstance is the laptop's PostgreSQL, AWS::RDS::DBProxy its PgBouncer and AWS::ElastiCache::ServerlessCache
  its Valkey: their endpoints, and the master user's secret that RDS makes, are real;
- a template's reference to a secret is its ARN, as policies need it, and not its name;
- resource types that exist in no form are accepted as records, so that the template need not be bent;
- EventBridge Scheduler fills its context attributes in;
- what is stored outlives a crash, but for the last seconds, and a deploy that was killed can be repeated.
"""

import http.client
import json
import logging
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from ministack import app
from ministack.core import persistence
from ministack.services import cloudformation, eventbridge, lambda_svc, secretsmanager
from ministack.services.cloudformation import provisioners
from psycopg import sql

from serverless_django.local import (
    ministack_access as ministack_access,
)  # callers without keys are refused from here on
from serverless_django.local import ministack_calls as ministack_calls  # what the functions call is noted from here on
from serverless_django.local.cloud_addresses import CloudAddresses
from serverless_django.local.functions import unpack_code

type Properties = dict[str, Any]
type Created = tuple[str, dict[str, Any]]

RECORDS: Mapping[str, str] = {
    "AWS::CloudWatch::CompositeAlarm": "alarm",
    "AWS::EC2::EIP": "eipalloc",
    "AWS::EC2::FlowLog": "fl",
    "AWS::EC2::NatGateway": "nat",
    "AWS::EC2::SecurityGroupEgress": "sgr",
    "AWS::EC2::SecurityGroupIngress": "sgr",
    "AWS::ElastiCache::User": "user",
    "AWS::ElastiCache::UserGroup": "user-group",
}
"""Types that MiniStack does not know and that need do nothing here; the prefix of their ids."""

SAVE_SECONDS = 10
"""MiniStack writes its state when it stops in order; this much of it is lost in a crash."""

ADDRESSES = CloudAddresses.read()


# --- Lambda: python functions run under awslambdaric ------------------------------------------------------------------

_connections = threading.local()


def _invoke_python(function: Properties, event: Any, request_id: str) -> dict[str, Any]:
    configuration = function.get("config") or function
    if not str(configuration.get("Runtime", "")).startswith("python"):
        return dict(_invoke_warm(function, event, request_id))  # CDK's own custom resources, which are JavaScript
    sha256 = lambda_svc.hashlib.sha256(function["code_zip"]).hexdigest()
    unpack_code(ADDRESSES.code, sha256, function["code_zip"])
    version = configuration.get("Version", "$LATEST")
    reply = _post("/invoke", {"function": configuration["FunctionName"], "version": version, "event": event})
    return {"body": reply["payload"], "error": reply["is_error"], "log": ""}


def _post(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", ADDRESSES.control_port, timeout=960)
    try:
        headers = {"Authorization": f"Bearer {ADDRESSES.control_token}", "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        return dict(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


_invoke_warm = lambda_svc._execute_function_warm
lambda_svc._execute_function_warm = _invoke_python


# --- RDS: the laptop's PostgreSQL and PgBouncer -----------------------------------------------------------------------


def _create_instance(logical_id: str, properties: Properties, stack: str) -> Created:
    identifier, _ = _create_instance_record(logical_id, properties, stack)
    instance = provisioners._rds._instances[identifier]
    instance["Endpoint"].update(Address=ADDRESSES.database_host, Port=5432)
    password = secrets.token_urlsafe(24)
    _create_database(instance["DBName"], instance["MasterUsername"], password)
    secret_arn = _create_master_secret(identifier, instance["MasterUsername"], password)
    attributes = provisioners._rds_db_instance_attrs(instance)
    return identifier, attributes | {"MasterUserSecret.SecretArn": secret_arn}


def _create_database(name: str, master: str, password: str) -> None:
    """Make what a new RDS instance has: the database, its master user, and the role that IAM users are members of."""
    with psycopg.connect(ADDRESSES.superuser_conninfo, autocommit=True) as connection:
        for role in (master, "rds_iam"):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN CREATEROLE CREATEDB PASSWORD {}").format(
                sql.Identifier(master), sql.Literal(password)
            )
        )
        connection.execute(sql.SQL("GRANT rds_iam TO {} WITH ADMIN OPTION").format(sql.Identifier(master)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(master))
            )


def _create_master_secret(identifier: str, master: str, password: str) -> str:
    value = json.dumps({"username": master, "password": password})
    arn = secretsmanager.create_secret_in_process(f"rds!{identifier}-{uuid.uuid4()}", value)
    return str(arn)


def _delete_instance(identifier: str, properties: Properties) -> None:
    _delete_instance_record(identifier, properties)
    with psycopg.connect(ADDRESSES.superuser_conninfo, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(properties["DBName"]))
        )
    for name in [name for name in secretsmanager._secrets if name.startswith(f"rds!{identifier}-")]:
        del secretsmanager._secrets[name]


_instance = provisioners._RESOURCE_HANDLERS["AWS::RDS::DBInstance"]
_create_instance_record, _delete_instance_record = _instance["create"], _instance["delete"]
_instance.update(create=_create_instance, delete=_delete_instance)


def _create_proxy(logical_id: str, properties: Properties, stack: str) -> Created:
    name = properties["DBProxyName"]
    arn = f"arn:aws:rds:{ADDRESSES.region}:{ADDRESSES.account}:db-proxy:prx-{uuid.uuid4().hex[:17]}"
    return name, {"Endpoint": ADDRESSES.proxy_host, "DBProxyArn": arn, "VpcId": ""}


def _create_cache(logical_id: str, properties: Properties, stack: str) -> Created:
    endpoint = {"Endpoint.Address": ADDRESSES.cache_host, "Endpoint.Port": str(ADDRESSES.cache_port)}
    return properties["ServerlessCacheName"], endpoint


def _create_target_group(logical_id: str, properties: Properties, stack: str) -> Created:
    arn = f"arn:aws:rds:{ADDRESSES.region}:{ADDRESSES.account}:target-group:prx-tg-{uuid.uuid4().hex[:17]}"
    return f"{properties['DBProxyName']}-default", {"TargetGroupArn": arn}


# --- Secrets Manager: a reference to a secret is its ARN --------------------------------------------------------------


def _create_secret(logical_id: str, properties: Properties, stack: str) -> Created:
    _, attributes = _create_named_secret(logical_id, properties, stack)
    return attributes["Arn"], attributes


def _update_secret(
    physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str | None = None
) -> Created:
    name = _secret_name(physical_id)
    updated, attributes = _update_named_secret(name, old, new, stack, logical_id)
    return physical_id if updated == name else attributes["Arn"], attributes


def _delete_secret(physical_id: str, properties: Properties) -> None:
    _delete_named_secret(_secret_name(physical_id), properties)


def _secret_name(physical_id: str) -> str:
    return secretsmanager._resolve(physical_id)[0] or physical_id


_secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
_create_named_secret, _update_named_secret = _secret["create"], _secret["update"]
_delete_named_secret = _secret["delete"]
_secret.update(create=_create_secret, update=_update_secret, delete=_delete_secret)


# --- Types that are only records here ---------------------------------------------------------------------------------


def _keep(physical_id: str, old: Properties, new: Properties, stack: str) -> Created:
    return physical_id, {}


def _forget(physical_id: str, properties: Properties) -> None:
    return


def _record(prefix: str) -> Callable[[str, Properties, str], Created]:
    return lambda logical_id, properties, stack: (f"{prefix}-{uuid.uuid4().hex[:17]}", {})


def _add_type(name: str, create: Callable[[str, Properties, str], Created]) -> None:
    provisioners._RESOURCE_HANDLERS.setdefault(name, {"create": create, "update": _keep, "delete": _forget})


_add_type("AWS::ElastiCache::ServerlessCache", _create_cache)
_add_type("AWS::RDS::DBProxy", _create_proxy)
_add_type("AWS::RDS::DBProxyTargetGroup", _create_target_group)
for _type, _prefix in RECORDS.items():
    _add_type(_type, _record(_prefix))


def _create_vpc(logical_id: str, properties: Properties, stack: str) -> Created:
    identifier, attributes = _create_vpc_record(logical_id, properties, stack)
    attributes.setdefault("CidrBlock", properties.get("CidrBlock", "10.0.0.0/16"))
    return identifier, attributes


_create_vpc_record = provisioners._RESOURCE_HANDLERS["AWS::EC2::VPC"]["create"]
provisioners._RESOURCE_HANDLERS["AWS::EC2::VPC"]["create"] = _create_vpc


def _read_alarm(name: str, properties: Properties) -> dict[str, Any]:
    """Let an alarm on an expression look at its first metric: none has data here, and all stay quiet."""
    parts = [part["MetricStat"] for part in properties.get("Metrics", []) if "MetricStat" in part]
    if parts:
        metric = parts[0]["Metric"]
        properties = {key: value for key, value in properties.items() if key != "Metrics"} | metric
    return dict(_read_simple_alarm(name, properties))


_read_simple_alarm = provisioners._cw_metric_alarm_record
provisioners._cw_metric_alarm_record = _read_alarm


# --- EventBridge Scheduler: context attributes ------------------------------------------------------------------------


def _invoke_target(target: Properties, event: Properties, rule: Properties, *more: Any, **named: Any) -> Any:
    if event.get("Source") == "aws.scheduler" and "Input" in target:
        moment = datetime.fromtimestamp(event["Time"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = target["Input"].replace("<aws.scheduler.execution-id>", event["EventId"])
        target = target | {"Input": text.replace("<aws.scheduler.scheduled-time>", moment)}
    return _send_to_target(target, event, rule, *more, **named)


_send_to_target = eventbridge._invoke_target
eventbridge._invoke_target = _invoke_target


# --- State outlives a crash -------------------------------------------------------------------------------------------


def _restore(state: dict[str, Any]) -> None:
    """End what CloudFormation was doing: on AWS it goes on by itself, here it ended with the process.

    A new stack counts as rolled back, so the CDK deletes it first.  One that was being updated has its last template
    again: if the CDK found the new one there, it would deploy nothing.
    """
    for stack in state["stacks"]._data.values():
        operation, _, rest = stack["StackStatus"].partition("_")
        if rest.endswith("IN_PROGRESS") and operation == "UPDATE":
            stack.update(StackStatus="UPDATE_ROLLBACK_COMPLETE", _template_body=json.dumps(stack["_template"]))
        elif rest.endswith("IN_PROGRESS") and operation != "DELETE":
            stack["StackStatus"] = "ROLLBACK_COMPLETE"
    _restore_stacks(state)


_restore_stacks = cloudformation.load_persisted_state
cloudformation.load_persisted_state = _restore


def _save_forever() -> None:
    logging.getLogger("persistence").setLevel(logging.WARNING)
    while True:
        time.sleep(SAVE_SECONDS)
        persistence.save_all(app._build_persistence_save_dict())


if __name__ == "__main__":
    threading.Thread(target=_save_forever, daemon=True).start()
    app.main()
