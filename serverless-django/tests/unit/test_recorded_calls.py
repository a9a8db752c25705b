"""What a test of ours may call in AWS is what a function was seen to call."""

from tests.recorded_calls import action_of, unrecorded

CODE = "def call(): return unrecorded(service, operation)\nfault = call()"


def _called_from(path, service, operation):
    values = {"unrecorded": unrecorded, "service": service, "operation": operation}
    exec(compile(CODE, path, "exec"), values)  # noqa: S102
    return values["fault"]


def _module(name):
    from tests.recorded_calls import SOURCE

    return f"{SOURCE}/{name}.py"


def test_a_call_that_was_recorded_passes():
    assert _called_from(_module("tasks/sqs"), "sqs", "SendMessageBatch") == ""
    assert _called_from(_module("handlers/sqs"), "s3", "HeadObject") == ""


def test_a_call_that_no_function_makes_is_named():
    fault = _called_from(_module("tasks/sqs"), "sqs", "PurgeQueue")

    assert "was seen to call sqs:PurgeQueue" in fault


def test_a_call_that_another_function_makes_is_named_with_who_may_not():
    assert "no function of Web was seen to call s3:DeleteObject" in _called_from(
        _module("handlers/api_gateway"), "s3", "DeleteObject"
    )


def test_what_a_test_calls_itself_is_its_own_affair():
    assert unrecorded("sqs", "PurgeQueue") == ""


def test_operations_have_the_names_that_policies_know():
    assert action_of("s3", "HeadObject") == "s3:GetObject"
    assert action_of("sqs", "ChangeMessageVisibilityBatch") == "sqs:ChangeMessageVisibility"
