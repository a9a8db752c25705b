"""Promises of what every deploy replaces: functions, API, queues, triggers, schedules."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.environment import Environment, variable_of
from serverless_django.deploy.components.migration import TIMEOUT
from serverless_django.tasks.receipts import RETENTION
from serverless_django.tasks.sqs import MAX_MESSAGE_BYTES
from serverless_django.tasks.wire import read_envelope
from tests.deployment import actions_of, resources_of, role_of

QUEUES = TOPOLOGY.every_queue


def test_every_queue_has_dead_letters_that_are_kept_for_two_weeks(deployment):
    queues = deployment.resources("AWS::SQS::Queue")
    targets = {
        queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in queues.values()
        if "RedrivePolicy" in queue["Properties"]
    }

    assert len(targets) == len(QUEUES) == len(queues) / 2
    assert {queues[name]["Properties"]["MessageRetentionPeriod"] for name in targets} == {14 * 24 * 3600}


def test_a_deploy_keeps_every_queue_with_its_messages(deployment):
    policies = {
        (queue["DeletionPolicy"], queue["UpdateReplacePolicy"])
        for queue in deployment.resources("AWS::SQS::Queue").values()
    }

    assert policies == {("RetainExceptOnCreate", "Retain")}


def test_every_queue_refuses_plain_http_and_is_encrypted(deployment):
    queues = deployment.resources("AWS::SQS::Queue")
    refusing = {
        policy["Queues"][0]["Ref"]
        for policy in deployment.properties("AWS::SQS::QueuePolicy")
        if policy["PolicyDocument"]["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }

    assert refusing == set(queues)
    assert all(queue["Properties"]["SqsManagedSseEnabled"] for queue in queues.values())


def test_every_queue_takes_what_the_application_may_send_and_keeps_it_as_long_as_a_receipt_allows(deployment):
    for queue in deployment.resources("AWS::SQS::Queue").values():
        assert queue["Properties"]["MaximumMessageSize"] == MAX_MESSAGE_BYTES
        assert 2 * timedelta(seconds=queue["Properties"]["MessageRetentionPeriod"]) < RETENTION


def test_a_worker_may_bury_messages_in_its_own_dead_letters_only(deployment):
    for function in deployment.functions().values():
        is_worker = function["Handler"].split(".")[-2] in ("sqs", "s3")

        assert len([target for target in _sends_to(deployment, function) if "DeadLetters" in target]) == int(is_worker)


def test_workers_report_the_messages_that_failed(deployment):
    mappings = deployment.properties("AWS::Lambda::EventSourceMapping")

    assert [mapping["FunctionResponseTypes"] for mapping in mappings] == [["ReportBatchItemFailures"]] * len(QUEUES)


@pytest.mark.parametrize("declaration", QUEUES, ids=lambda declaration: declaration.name)
def test_a_queue_is_drained_as_declared(prod, declaration):
    queue, mapping, function = _queue_and_worker(prod, declaration)

    assert queue["VisibilityTimeout"] == declaration.visibility_timeout.total_seconds()
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == declaration.max_receives
    assert function["Timeout"] == declaration.batch_timeout.total_seconds()
    assert function["MemorySize"] == declaration.memory_mb
    assert mapping["BatchSize"] == declaration.batch_size
    assert mapping["MaximumBatchingWindowInSeconds"] == declaration.batch_window.total_seconds()
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": declaration.max_concurrency}


def test_objects_have_their_own_handler(prod):
    handlers = {
        declaration.name: _queue_and_worker(prod, declaration)[2]["Handler"].split(".")[-2] for declaration in QUEUES
    }

    assert handlers == {queue.name: "sqs" for queue in TOPOLOGY.task_queues} | {"objects": "s3"}


def test_every_function_runs_the_one_bundle_on_its_stages_processor(deployment):
    functions = deployment.functions().values()

    assert len({function["Code"]["S3Key"] for function in functions}) == 1
    assert {tuple(function["Architectures"]) for function in functions} == {(deployment.stage.architecture,)}


def test_every_function_has_its_own_role_and_logs(deployment):
    functions = deployment.functions()
    groups = {function["LoggingConfig"]["LogGroup"]["Ref"] for function in functions.values()}

    assert len({role_of(function) for function in functions.values()}) == len(functions)
    assert len(groups) == len(functions)
    assert {deployment.resources("AWS::Logs::LogGroup")[name]["Properties"]["RetentionInDays"] for name in groups} == {
        deployment.stage.log_retention_days
    }


def test_no_function_writes_logs_that_outlive_the_stack(deployment):
    for name, function in deployment.resources("AWS::Lambda::Function").items():
        group = deployment.resources("AWS::Logs::LogGroup")[function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]]

        assert group["Properties"]["RetentionInDays"] == deployment.stage.log_retention_days, name


def test_every_alias_waits_for_the_migration(deployment):
    [trigger] = deployment.resources("Custom::Trigger")
    aliases = deployment.resources("AWS::Lambda::Alias")

    assert len(aliases) == len(deployment.functions())
    assert {name for name, alias in aliases.items() if trigger in alias["DependsOn"]} == set(aliases)


def test_the_migration_runs_whenever_the_code_changes(deployment):
    [trigger] = deployment.properties("Custom::Trigger")
    version = deployment.resources("AWS::Lambda::Version")[trigger["HandlerArn"]["Ref"]]["Properties"]

    assert version["FunctionName"]["Ref"].startswith("MigrationManagementFunction")
    assert trigger["ExecuteOnHandlerChange"] is True


def test_the_deploy_waits_longer_than_a_migration_may_run(deployment):
    [trigger] = deployment.properties("Custom::Trigger")

    assert int(trigger["Timeout"]) / 1000 > deployment.function_named("Migration")["Timeout"] == TIMEOUT.total_seconds()


def test_nothing_invokes_a_function_but_through_its_alias(deployment):
    invoked = [
        *(mapping["FunctionName"] for mapping in deployment.properties("AWS::Lambda::EventSourceMapping")),
        *(integration["IntegrationUri"] for integration in deployment.properties("AWS::ApiGatewayV2::Integration")),
        *(permission["FunctionName"] for permission in deployment.properties("AWS::Lambda::Permission")),
    ]

    assert len(invoked) == len(QUEUES) + 2
    assert all("Alias" in json.dumps(target) for target in invoked)


def test_every_environment_is_one_that_the_code_reads(deployment):
    for function in deployment.functions().values():
        environment = Environment.read(_without_tokens(function["Environment"]["Variables"]))

        assert environment.stage == deployment.stage.name
        assert list(environment.task_queue_urls) == [queue.name for queue in QUEUES]
        assert list(environment.bucket_names) == [bucket.name for bucket in TOPOLOGY.buckets]
        assert environment.allowed_hosts == ("token.execute-api.token.token",)


def test_a_function_has_no_variable_that_the_code_does_not_read(deployment):
    known = {variable_of(name) for name in Environment.__dataclass_fields__}

    for function in deployment.functions().values():
        assert set(function["Environment"]["Variables"]) <= known


def test_only_the_management_function_is_master_and_may_read_the_secret(deployment):
    masters, readers = set(), set()
    of_the_edge = [{"Ref": name} for name in deployment.resources("AWS::SecretsManager::Secret")]
    for name, function in deployment.functions().items():
        variables = function["Environment"]["Variables"]
        if variables["SERVERLESS_DATABASE_USER"] != "app" or "SERVERLESS_DATABASE_SECRET_ARN" in variables:
            masters.add(name)
        for item in _allowed(deployment, function):
            if "secretsmanager:GetSecretValue" in actions_of(item) and item["Resource"] not in of_the_edge:
                readers.add(name)

    assert masters == readers == {name for name in deployment.functions() if name.startswith("Migration")}


def test_only_the_web_function_may_read_the_secret_of_the_edge(deployment):
    of_the_edge = [{"Ref": name} for name in deployment.resources("AWS::SecretsManager::Secret")]
    readers = {
        name
        for name, function in deployment.functions().items()
        if any(item["Resource"] in of_the_edge for item in _allowed(deployment, function))
    }

    assert len(of_the_edge) == (deployment.stage.edge != "none")
    assert {name.rstrip("0123456789ABCDEF") for name in readers} == ({"WebFunction"} if of_the_edge else set())


def test_the_management_function_connects_to_the_database_and_all_others_to_the_proxy(deployment):
    hosts = {
        name: json.dumps(function["Environment"]["Variables"]["SERVERLESS_DATABASE_HOST"])
        for name, function in deployment.functions().items()
    }

    for name, host in hosts.items():
        assert ("DatabaseInstance" in host) is name.startswith("Migration")
        assert ("Proxy" in host) is not name.startswith("Migration")


def test_functions_connect_as_the_application_only(deployment):
    for name, function in deployment.functions().items():
        connects = [item for item in _allowed(deployment, function) if "rds-db:connect" in actions_of(item)]
        users = [resource.rpartition("/")[2] for item in connects for resource in resources_of(item)]

        assert users == ([] if name.startswith("Migration") else ['app"]]}'])


def test_every_function_with_application_code_may_send_to_every_queue_of_tasks(deployment):
    for name, function in deployment.functions().items():
        targets = [target for target in _sends_to(deployment, function) if "DeadLetters" not in target]

        # An operator may also send dead letters of objects back.
        assert len(targets) == len(QUEUES if name.startswith("Migration") else TOPOLOGY.task_queues)


def test_the_web_function_signs_uploads_and_links_and_can_do_no_more_with_objects(deployment):
    rights = {
        action: resource
        for item in _allowed(deployment, deployment.function_named("Web"))
        for action in actions_of(item)
        for resource in resources_of(item)
        if action.startswith("s3:")
    }

    assert "uploads" in rights.pop("s3:PutObject")
    # At an edge links are not signed.
    assert set(rights) == ({"s3:GetObject"} if deployment.stage.edge == "none" else set())
    assert all("media" in resource for resource in rights.values())


@pytest.mark.parametrize("declaration", QUEUES, ids=lambda declaration: declaration.name)
def test_a_worker_has_the_rights_to_objects_that_its_queue_declares_and_no_other(prod, declaration):
    function = _queue_and_worker(prod, declaration)[2]
    granted = {
        (action, bucket.name)
        for item in _allowed(prod, function)
        for action in actions_of(item)
        for resource in resources_of(item)
        for bucket in TOPOLOGY.buckets
        if action.startswith("s3:") and f"Bucket{bucket.name}" in resource
    }

    # Without the right to list, S3 answers 403 and not 404 for an object that is gone: a fault, which would be retried.
    reads = {(f"s3:{verb}", name) for name in declaration.reads for verb in ("GetObject", "ListBucket")}
    verbs = ("GetObject", "ListBucket", "PutObject", "DeleteObject")
    assert granted == reads | {(f"s3:{verb}", name) for name in declaration.writes for verb in verbs}


def test_a_statement_names_what_it_is_about_unless_aws_knows_no_names(deployment):
    for policy in deployment.properties("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if statement["Resource"] == "*":
                named = [action for action in actions_of(statement) if not action.startswith("ec2:")]
                assert named in ([], ["sqs:ListQueues"])


def test_no_task_can_write_where_an_object_sets_off_a_task(deployment):
    for name, function in deployment.functions().items():
        written = [
            resource
            for item in _allowed(deployment, function)
            if "s3:PutObject" in actions_of(item)
            for resource in resources_of(item)
        ]

        assert any("uploads" in resource for resource in written) is ("Web" in name)


def test_no_policy_allows_a_wildcard_of_actions(deployment):
    for policy in deployment.properties("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            assert not [action for action in actions_of(statement) if "*" in action]


def test_every_trigger_sends_its_prefix_to_the_queue_of_objects(deployment):
    rules = deployment.properties("AWS::Events::Rule")
    keys = [rule["EventPattern"]["detail"]["object"]["key"] for rule in rules]

    assert keys == [[{"prefix": trigger.prefix}] for trigger in TOPOLOGY.object_triggers]
    assert all(rule["Targets"][0]["Arn"]["Fn::GetAtt"][0].startswith("ObjectsQueue") for rule in rules)
    assert all("DeadLetterConfig" in rule["Targets"][0] for rule in rules)


def test_a_schedule_sends_a_task_message_that_the_worker_decodes(deployment):
    moment = datetime.now(UTC).isoformat()
    sent = [
        read_envelope(schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", moment))
        for schedule in deployment.properties("AWS::Scheduler::Schedule")
    ]

    assert [(message.task, message.id, message.enqueued_at.isoformat()) for message in sent] == [
        (schedule.task, f"schedule/{schedule.name}/{moment}", moment) for schedule in TOPOLOGY.every_schedule
    ]


def test_a_schedule_may_send_to_its_own_queue_only(deployment):
    for schedule in deployment.properties("AWS::Scheduler::Schedule"):
        [statement] = deployment.statements_of(schedule["Target"]["RoleArn"]["Fn::GetAtt"][0])

        assert actions_of(statement) == {"sqs:SendMessage"}
        assert statement["Resource"] == schedule["Target"]["Arn"]


def test_only_authenticated_paths_need_a_token(deployment):
    routes = {
        route["RouteKey"]: route["AuthorizationType"] for route in deployment.properties("AWS::ApiGatewayV2::Route")
    }

    assert routes == (
        {f"ANY {path}": "JWT" for path in TOPOLOGY.authenticated_paths}
        | {f"{method} {path}": "NONE" for path in TOPOLOGY.public_paths for method in ("GET", "HEAD")}
        | {"ANY /": "NONE", "ANY /{proxy+}": "NONE"}
    )


def test_the_laptops_issuer_is_in_the_template_and_another_stage_has_its_own_users(local, prod):
    [fixed] = local.properties("AWS::ApiGatewayV2::Authorizer")
    [own] = prod.properties("AWS::ApiGatewayV2::Authorizer")

    assert fixed["JwtConfiguration"] == {"Issuer": "https://issuer.localhost", "Audience": ["sample"]}
    assert local.resources("AWS::Cognito::UserPool") == {}
    assert "UsersPool" in own["JwtConfiguration"]["Issuer"]["Fn::ImportValue"]
    assert "UsersPoolPhone" in own["JwtConfiguration"]["Audience"][0]["Fn::ImportValue"]


def test_a_deploy_asks_for_nothing_that_the_repository_does_not_say(deployment):
    for template in deployment.templates:
        assert set(template.get("Parameters", {})) <= {"BootstrapVersion"}


def test_the_api_is_throttled_and_logs_json(deployment):
    [stage] = deployment.properties("AWS::ApiGatewayV2::Stage")

    assert stage["StageName"] == "$default"
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingBurstLimit": deployment.stage.api_burst,
        "ThrottlingRateLimit": deployment.stage.api_requests_per_second,
    }
    assert json.loads(stage["AccessLogSettings"]["Format"])["request_id"] == "$context.requestId"


def test_django_gets_the_event_format_that_the_handler_reads(deployment):
    [integration] = deployment.properties("AWS::ApiGatewayV2::Integration")

    assert integration["PayloadFormatVersion"] == "2.0"


def test_outputs_are_named_for_what_topology_declares(deployment):
    names = {name for name in deployment.application["Outputs"] if not name.startswith("Exports")}

    assert names == {"AlarmTopicArn", "ApiId", "ApiUrl"} | {
        *("FunctionWebName", "FunctionObjectsName", "FunctionManagementName"),
        *(f"FunctionWorker{queue.name.capitalize()}Name" for queue in TOPOLOGY.task_queues),
        *(f"Queue{queue.name.capitalize()}{suffix}" for queue in QUEUES for suffix in ("Url", "DeadLettersUrl")),
    }


def _queue_and_worker(deployment, declaration):
    stack = deployment.app_stack
    queue = stack.objects if declaration == TOPOLOGY.object_queue else stack.queues[declaration.name]
    worker = stack.object_worker if declaration == TOPOLOGY.object_queue else stack.workers[declaration.name]
    [mapping] = [
        mapping
        for mapping in deployment.properties("AWS::Lambda::EventSourceMapping")
        if mapping["EventSourceArn"] == stack.resolve(queue.queue.queue_arn)
    ]
    assert stack.resolve(worker.alias.function_name) == mapping["FunctionName"]
    properties = deployment.resources("AWS::SQS::Queue")[stack.resolve(queue.queue.queue_url)["Ref"]]["Properties"]
    function = deployment.functions()[stack.resolve(worker.function.function_name)["Ref"]]
    return properties, mapping, function


def _allowed(deployment, function):
    return [item for item in deployment.statements_of(role_of(function)) if item["Effect"] == "Allow"]


def _sends_to(deployment, function):
    sends = [item for item in _allowed(deployment, function) if "sqs:SendMessage" in actions_of(item)]
    return [target for item in sends for target in resources_of(item)]


def _without_tokens(variables):
    """Replace what CloudFormation fills in by the word "token"."""
    return {name: _text(value) for name, value in variables.items()}


def _text(value):
    if isinstance(value, str):
        return value
    [(intrinsic, argument)] = value.items()
    return "".join(map(_text, argument[1])) if intrinsic == "Fn::Join" else "token"
