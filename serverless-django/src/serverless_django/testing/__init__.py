"""What a project needs to test itself: a pytest plugin that is active wherever this library is installed.

Beside its fixtures: `requests`, `sqs_events`, `log_lines` and `threads`.
"""

from dataclasses import dataclass


@dataclass
class LambdaContext:
    """A context with the time that a test wants to be left, in milliseconds."""

    remaining_ms: int = 30_000
    function_name: str = "function"
    function_version: str = "1"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:function:live"
    aws_request_id: str = "8f5d2a3c-1f0e-4d7b-9f43-0a6c9d1f7e21"
    log_group_name: str = "function"
    log_stream_name: str = "2026/11/23/[1]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms
