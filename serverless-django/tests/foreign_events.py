"""Events of AWS's services that no handler takes, or another: each as its service sends it, cut to what tells it."""

from collections.abc import Mapping
from typing import Any

ACCOUNT, REGION = "123456789012", "eu-central-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5/prod/GET/posts"
WEB_HEADERS = {"host": "api.example.com", "user-agent": "curl/8", "x-forwarded-for": "203.0.113.9"}

REST_CONTEXT = {
    "accountId": ACCOUNT, "apiId": "a1b2c3d4e5", "httpMethod": "GET", "path": "/prod/posts", "resourcePath": "/posts",
    "stage": "prod", "identity": {"sourceIp": "203.0.113.9"}, "requestId": "r", "requestTimeEpoch": 1,
}  # fmt: skip
HTTP_CONTEXT = {
    "accountId": ACCOUNT, "apiId": "a1b2c3d4e5", "domainName": "api.example.com", "stage": "$default", "timeEpoch": 1,
    "http": {"method": "GET", "path": "/posts", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"}, "requestId": "r",
}  # fmt: skip
SOCKET_CONTEXT = {
    "routeKey": "$connect", "eventType": "CONNECT", "connectionId": "c=", "messageDirection": "IN", "stage": "prod",
    "identity": {"sourceIp": "203.0.113.9"}, "apiId": "a1b2c3d4e5", "domainName": "ws.example.com", "requestId": "r",
}  # fmt: skip


def records(source: str, key: str = "eventSource", **parts: Any) -> dict[str, Any]:
    return {"Records": [{key: source, "awsRegion": REGION, **parts}]}


def eventbridge(source: str, detail_type: str, **detail: Any) -> dict[str, Any]:
    return {
        "version": "0", "id": "7bf73129", "detail-type": detail_type, "source": source, "account": ACCOUNT,
        "time": "2026-11-25T12:00:00Z", "region": REGION, "resources": [], "detail": detail,
    }  # fmt: skip


AUTHORIZERS: Mapping[str, Any] = {
    "REST API, by token": {"type": "TOKEN", "methodArn": API, "authorizationToken": "Bearer a.b.c"},
    "REST API, by request": {
        "type": "REQUEST", "methodArn": API, "resource": "/posts", "path": "/posts", "httpMethod": "GET",
        "headers": WEB_HEADERS, "multiValueHeaders": {}, "queryStringParameters": {}, "pathParameters": {},
        "stageVariables": {}, "requestContext": REST_CONTEXT,
    },
    "HTTP API, format 1.0": {
        "version": "1.0", "type": "REQUEST", "methodArn": API, "identitySource": "a", "authorizationToken": "a",
        "resource": "/posts", "path": "/posts", "httpMethod": "GET", "headers": WEB_HEADERS,
        "queryStringParameters": {}, "pathParameters": {}, "stageVariables": {}, "requestContext": REST_CONTEXT,
    },
    "HTTP API, format 2.0": {
        "version": "2.0", "type": "REQUEST", "routeArn": API, "identitySource": ["a"], "routeKey": "GET /posts",
        "rawPath": "/posts", "rawQueryString": "", "cookies": [], "headers": WEB_HEADERS,
        "requestContext": HTTP_CONTEXT,
    },
    "WebSocket API": {
        "type": "REQUEST", "methodArn": API, "headers": WEB_HEADERS, "multiValueHeaders": {},
        "requestContext": SOCKET_CONTEXT,
    },
    "AppSync": {
        "authorizationToken": "a", "requestHeaders": WEB_HEADERS,
        "requestContext": {"apiId": "a", "accountId": ACCOUNT, "requestId": "r", "queryString": "query { a }"},
    },
    "AppSync events": {
        "authorizationToken": "a",
        "requestContext": {"apiId": "a", "accountId": ACCOUNT, "requestId": "r", "operation": "EVENT_CONNECT"},
    },
    "IoT": {
        "token": "a", "signatureVerified": True, "protocols": ["tls", "http", "mqtt"],
        "protocolData": {"http": {"headers": WEB_HEADERS, "queryString": "?a"}}, "connectionMetadata": {"id": "u"},
    },
    "Transfer Family": {"username": "u", "password": "p", "protocol": "SFTP", "serverId": "s-1", "sourceIp": "1.2.3.4"},
}  # fmt: skip

LIKE_REQUESTS: Mapping[str, Any] = {
    "WebSocket connect": {"headers": WEB_HEADERS, "requestContext": SOCKET_CONTEXT, "isBase64Encoded": False},
    "WebSocket message": {
        "requestContext": SOCKET_CONTEXT | {"eventType": "MESSAGE", "routeKey": "$default", "messageId": "m"},
        "body": "{}", "isBase64Encoded": False,
    },
    "VPC Lattice 1.0": {
        "raw_path": "/posts", "method": "GET", "headers": WEB_HEADERS, "query_string_parameters": {}, "body": "",
        "is_base64_encoded": False,
    },
    "VPC Lattice 2.0": {
        "version": "2.0", "path": "/posts", "method": "GET", "headers": {"host": ["a"]}, "queryStringParameters": {},
        "body": "", "requestContext": {"serviceNetworkArn": "arn", "timeEpoch": "1", "identity": {}},
    },
    "Bedrock agent": {
        "messageVersion": "1.0", "agent": {"name": "a", "id": "1", "alias": "b", "version": "1"}, "sessionId": "s",
        "actionGroup": "g", "apiPath": "/posts", "httpMethod": "GET", "parameters": [], "requestBody": {"content": {}},
    },
    "Bedrock agent's function": {
        "messageVersion": "1.0", "agent": {}, "actionGroup": "g", "function": "f", "parameters": [], "sessionId": "s",
    },
    "Lambda's destination": {
        "version": "1.0", "timestamp": "2026-11-25T12:00:00Z", "requestPayload": {"command": ["migrate"]},
        "requestContext": {"requestId": "r", "functionArn": FUNCTION, "condition": "Success"}, "responsePayload": None,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
    },
    "Lambda@Edge": {"Records": [{"cf": {"config": {"eventType": "viewer-request"}, "request": {"uri": "/"}}}]},
    "CloudFront Functions": {"version": "1.0", "context": {}, "viewer": {"ip": "1.2.3.4"}, "request": {"uri": "/"}},
    "S3 Object Lambda": {
        "xAmzRequestId": "r", "getObjectContext": {"inputS3Url": "https://a", "outputRoute": "o", "outputToken": "t"},
        "configuration": {"payload": "{}"}, "userRequest": {"url": "/k", "headers": WEB_HEADERS},
    },
    "AppSync resolver": {
        "arguments": {"id": "1"}, "source": None, "identity": None, "request": {"headers": WEB_HEADERS},
        "prev": None, "info": {"fieldName": "post", "parentTypeName": "Query", "variables": {}},
    },
    "AppSync event": {"identity": None, "request": {"headers": WEB_HEADERS}, "info": {"channel": {}}, "events": []},
}  # fmt: skip

STREAMS: Mapping[str, Any] = {
    "SNS": records("aws:sns", "EventSource", EventVersion="1.0", Sns={"Message": "{}", "Type": "Notification"}),
    "SES": records("aws:ses", ses={"mail": {"messageId": "m"}, "receipt": {}}),
    "DynamoDB": records("aws:dynamodb", eventName="INSERT", dynamodb={"Keys": {"id": {"S": "1"}}}),
    "Kinesis": records("aws:kinesis", kinesis={"partitionKey": "1", "data": "e30=", "sequenceNumber": "1"}),
    "CodeCommit": records("aws:codecommit", codecommit={"references": []}, eventName="ReferenceChanges"),
    "Kinesis windows": {"window": {}, "state": {}, "shardId": "s", **records("aws:kinesis", kinesis={"data": "e30="})},
    "Firehose": {"invocationId": "i", "deliveryStreamArn": "arn", "records": [{"recordId": "1", "data": "e30="}]},
    "Kinesis Analytics": {"invocationId": "i", "applicationArn": "arn", "records": [{"recordId": "1", "data": "e30="}]},
    "MSK": {"eventSource": "aws:kafka", "bootstrapServers": "b", "records": {"t-0": [{"value": "e30="}]}},
    "Kafka": {"eventSource": "SelfManagedKafka", "bootstrapServers": "b", "records": {"t-0": [{"value": "e30="}]}},
    "ActiveMQ": {"eventSource": "aws:mq", "eventSourceArn": "arn", "messages": [{"messageID": "1", "data": "e30="}]},
    "RabbitMQ": {"eventSource": "aws:rmq", "eventSourceArn": "arn", "rmqMessagesByQueue": {"q::/": [{"data": "e30="}]}},
    "DocumentDB": {"eventSource": "aws:docdb", "eventSourceArn": "arn", "events": [{"event": {}}]},
    "CloudWatch logs": {"awslogs": {"data": "H4sIAAAAAAAA"}},
    "a pipe": [{"messageId": "m", "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": "arn", "attributes": {}}],
    "a receive of SQS": {"Messages": [{"MessageId": "m", "Body": "{}", "ReceiptHandle": "r"}]},
    "IoT SQL": {"temperature": 21, "command": "on", "topic": "device/1"},
    "MQTT": {"topic": "device/1", "payload": "e30=", "qos": 1},
}  # fmt: skip

EVENTS: Mapping[str, Any] = {
    "a schedule": eventbridge("aws.events", "Scheduled Event"),
    "EventBridge Scheduler": eventbridge("aws.scheduler", "Scheduled Event"),
    "EC2": eventbridge("aws.ec2", "EC2 Instance State-change Notification", state="stopping"),
    "CloudWatch alarm's event": eventbridge("aws.cloudwatch", "CloudWatch Alarm State Change", alarmName="a"),
    "CloudWatch alarm's action": {"source": "aws.cloudwatch", "alarmArn": "arn", "accountId": ACCOUNT, "alarmData": {}},
    "CloudTrail of S3": eventbridge("aws.s3", "AWS API Call via CloudTrail", eventName="PutObject"),
    "CloudTrail of Lambda": eventbridge("aws.lambda", "AWS API Call via CloudTrail", eventName="Invoke"),
    "RDS": eventbridge("aws.rds", "RDS DB Instance Event", Message="failover"),
    "CodePipeline's event": eventbridge("aws.codepipeline", "CodePipeline Pipeline Execution State Change"),
    "ECR": eventbridge("aws.ecr", "ECR Image Action"),
    "Health": eventbridge("aws.health", "AWS Health Event"),
    "GuardDuty": eventbridge("aws.guardduty", "GuardDuty Finding"),
    "one's own": eventbridge("com.example", "order placed", command=["migrate"]),
}

HOOKS: Mapping[str, Any] = {
    "CloudFormation": {"RequestType": "Create", "ResponseURL": "https://a", "StackId": "arn", "ResourceProperties": {}},
    "CloudFormation macro": {"transformId": "t", "fragment": {}, "templateParameterValues": {}, "requestId": "r"},
    "CodePipeline job": {"CodePipeline.job": {"id": "1", "accountId": ACCOUNT, "data": {"actionConfiguration": {}}}},
    "CodeDeploy hook": {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e"},
    "Config rule": {"invokingEvent": "{}", "ruleParameters": "{}", "resultToken": "t", "version": "1.0"},
    "secret rotation": {"Step": "createSecret", "SecretId": "arn", "ClientRequestToken": "t"},
    "Cognito pre sign-up": {"version": "1", "triggerSource": "PreSignUp_SignUp", "request": {}, "response": {}},
    "Cognito token": {"version": "2", "triggerSource": "TokenGeneration_Authentication", "request": {}, "response": {}},
    "Cognito sync": {"version": 2, "eventType": "SyncTrigger", "identityPoolId": "i", "datasetRecords": {}},
    "Lex 2": {"messageVersion": "1.0", "invocationSource": "DialogCodeHook", "bot": {}, "sessionState": {"intent": {}}},
    "Lex 1": {"messageVersion": "1.0", "currentIntent": {"name": "i"}, "bot": {}, "userId": "u"},
    "Alexa": {"version": "1.0", "session": {"new": True}, "context": {}, "request": {"type": "LaunchRequest"}},
    "Alexa smart home": {"directive": {"header": {"namespace": "Alexa.Discovery", "name": "Discover"}, "payload": {}}},
    "Connect": {"Name": "ContactFlowEvent", "Details": {"ContactData": {}, "Parameters": {}}},
    "S3 batch operation": {"invocationSchemaVersion": "1.0", "invocationId": "i", "job": {}, "tasks": [{"s3Key": "k"}]},
    "IoT button": {"serialNumber": "1", "clickType": "SINGLE", "batteryVoltage": "1mV"},
    "Chime": {"SchemaVersion": "1.0", "InvocationEventType": "NEW_INBOUND_CALL", "CallDetails": {}},
    "Step Functions": {"ExecutionContext": {"Id": "e"}, "Input": {"command": ["migrate"]}},
    "Step Functions' token": {"TaskToken": "t", "command": ["migrate"]},
    "Auto Scaling hook": {"AutoScalingGroupName": "g", "CapacityToTerminate": [], "Instances": [], "Cause": "SCALE_IN"},
    "Elemental": {"MediaTailor": {}, "sequence": 1},
    "DMS": {"Event Source": "db", "Event Message": "m", "Event Time": "t"},
    "AppConfig extension": {"InvocationId": "i", "Application": {"Id": "a"}, "Type": "PreStartDeployment"},
    "Secrets of SSM": {"parameter-name": "p", "operation": "Update"},
}  # fmt: skip

TYPOS: Mapping[str, Any] = {
    "comand": {"comand": ["check"]},
    "Command": {"Command": ["check"]},
    "commands": {"commands": ["check"]},
    "cmd": {"cmd": "check"},
    "a command and more": {"command": ["check"], "stage": "prod"},
    "a command with a blank": {"command ": ["check"]},
    "a warm-up": {"warmup": True},
    "another warm-up": {"source": "serverless-plugin-warmup"},
    "a list": ["check"],
    "an empty list": [],
    "text": "check",
    "empty text": "",
    "zero": 0,
    "one": 1,
    "false": False,
    "true": True,
    "a number": 0.5,
}

FOREIGN: Mapping[str, Any] = {
    f"{kind}: {name}": event
    for kind, events in {
        "authorizer": AUTHORIZERS, "like a request": LIKE_REQUESTS, "stream": STREAMS, "event": EVENTS, "hook": HOOKS,
        "typo": TYPOS,
    }.items()
    for name, event in events.items()
}  # fmt: skip
"""Events that none of our handlers takes."""
