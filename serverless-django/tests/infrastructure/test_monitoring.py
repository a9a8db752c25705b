"""Everything that can break has an alarm, and every alarm is sent."""

import json

from lambda_app.topology import TOPOLOGY
from serverless_django.observability.logs import NAMESPACE

QUEUES = TOPOLOGY.every_queue


def test_every_function_has_alarms_for_errors_throttling_and_its_timeout(deployment):
    watched = _watched(deployment, "AWS/Lambda", "FunctionName")

    for function in deployment.functions():
        assert {"Errors", "Throttles", "Duration"} <= watched[function]


def test_every_queue_has_an_alarm_for_its_age_and_its_dead_letters_for_any_message(deployment):
    watched = _watched(deployment, "AWS/SQS", "QueueName")
    queues = deployment.resources("AWS::SQS::Queue")

    for name in queues:
        expected = "ApproximateNumberOfMessagesVisible" if "DeadLetters" in name else "ApproximateAgeOfOldestMessage"
        assert watched[name] == {expected}
    assert len(queues) == 2 * len(QUEUES)


def test_one_dead_letter_is_enough(deployment):
    alarms = [
        item for name, item in _alarms(deployment).items() if name.startswith("MonitoringAlarms") and "Dead" in name
    ]

    assert len(alarms) == len(QUEUES)
    assert {(alarm["Threshold"], alarm["ComparisonOperator"]) for alarm in alarms} == {(0, "GreaterThanThreshold")}


def test_the_database_its_proxy_and_the_api_are_watched(any_deployment):
    names = json.dumps([_alarms(any_deployment)])

    for metric in ("CPUUtilization", "DatabaseConnections", "DatabaseConnectionsCurrentlySessionPinned"):
        assert f'"{metric}"' in names
    for metric in ("DatabaseConnectionsBorrowLatency", "5xx", "Latency"):
        assert f'"{metric}"' in names


def test_each_metric_that_the_code_writes_for_an_alarm_has_one(deployment):
    metrics = [metric for alarm in _alarms(deployment).values() for metric in _metrics(alarm)]

    own = {metric["MetricName"] for metric in metrics if metric["Namespace"] == NAMESPACE}
    assert own == {"BudgetBreaches", "ObjectsWithoutTrigger", "PinningStatements", "UnsentCalls"}


def test_every_alarm_is_part_of_the_one_that_speaks_to_the_topic(any_deployment):
    [composite] = any_deployment.properties("AWS::CloudWatch::CompositeAlarm")
    [topic] = any_deployment.resources("AWS::SNS::Topic")
    rule = json.dumps(composite["AlarmRule"])

    assert composite["AlarmActions"] == composite["OKActions"] == [{"Ref": topic}]
    for name in _alarms(any_deployment):
        # Those of a canary speak to the deployment that they take back.
        assert (name in rule) is not name.startswith("Canary")


def test_cloudwatch_and_budgets_may_publish_to_the_topic_and_only_over_tls(any_deployment):
    [policy] = any_deployment.properties("AWS::SNS::TopicPolicy")
    statements = policy["PolicyDocument"]["Statement"]
    publishers = {service for item in statements if item["Effect"] == "Allow" for service in _services(item)}
    [denied] = [item for item in statements if item["Effect"] == "Deny"]

    assert publishers == {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    # The key of AWS cannot be used by CloudWatch: its alarms would be lost without a word.
    assert "KmsMasterKeyId" not in any_deployment.properties("AWS::SNS::Topic")[0]


def test_a_metric_without_data_is_no_alarm(any_deployment):
    assert {alarm["TreatMissingData"] for alarm in _alarms(any_deployment).values()} == {"notBreaching"}


def test_every_alarm_says_what_is_wrong(any_deployment):
    assert all(alarm["AlarmDescription"] for alarm in _alarms(any_deployment).values())


def _services(statement):
    services = statement["Principal"]["Service"]
    return services if isinstance(services, list) else [services]


def _alarms(deployment):
    return {name: item["Properties"] for name, item in deployment.resources("AWS::CloudWatch::Alarm").items()}


def _metrics(alarm):
    """Return what the alarm looks at: one metric, or those that an expression is made of."""
    parts = [part["MetricStat"] for part in alarm.get("Metrics", []) if "MetricStat" in part]
    return [part["Metric"] for part in parts] or [alarm]


def _watched(deployment, namespace, dimension):
    """Return the names of the metrics with an alarm, by the logical id that the dimension names."""
    watched = {}
    for name, alarm in _alarms(deployment).items():
        for metric in _metrics(alarm):
            if metric["Namespace"] == namespace and not name.startswith("Canary"):
                [value] = [item["Value"] for item in metric["Dimensions"] if item["Name"] == dimension]
                logical_id = value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else value["Ref"]
                watched.setdefault(logical_id, set()).add(metric["MetricName"])
    return watched
