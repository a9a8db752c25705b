"""Promises of what lasts: network, database, proxy, buckets."""

import json

from lambda_app.topology import TOPOLOGY
from serverless_django.deploy.components.parameters import LOGGED_WITHOUT_VALUES
from tests.deployment import actions_of, resources_of

STATEFUL = {
    "AWS::Cognito::UserPool",
    "AWS::EC2::VPC",
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBProxy",
    "AWS::S3::Bucket",
}


def test_logical_ids_of_what_holds_data_never_change(prod):
    """Another id is another resource: CloudFormation would create it and delete the one with the data."""
    ids = sorted(name for type_ in STATEFUL for name in prod.resources(type_))

    assert ids == [
        "AccessLogs8B620ECA",
        "BucketmediaBucket01930FED",
        "BucketuploadsBucketF6E8D4D5",
        "DatabaseInstanceAA8A5FDE",
        "NetworkVpc7FB7348F",
        "ProxyE947DB46",
        "UsersPoolBFC35D3B",
    ]


def test_no_password_stands_in_a_template(deployment):
    text = json.dumps([deployment.data, deployment.application])

    assert "MasterUserPassword" not in text.replace("ManageMasterUserPassword", "")
    # What CloudFront says to the API is resolved in the distribution, and nowhere else.
    distributions = json.dumps(deployment.properties("AWS::CloudFront::Distribution"))
    uses = int(deployment.stage.edge != "none")
    assert [each.count("resolve:secretsmanager") for each in (text, distributions)] == [uses, uses]


def test_rds_makes_and_keeps_the_masters_password(deployment):
    [database] = deployment.properties("AWS::RDS::DBInstance")

    assert database["ManageMasterUserPassword"] is True
    assert database["EnableIAMDatabaseAuthentication"] is True


def test_the_database_is_private_and_encrypted(deployment):
    [database] = deployment.properties("AWS::RDS::DBInstance")
    [parameters] = deployment.properties("AWS::RDS::DBParameterGroup")

    assert database["PubliclyAccessible"] is False
    assert database["StorageEncrypted"] is True
    assert parameters["Parameters"]["rds.force_ssl"] == "1"


def test_no_statement_is_logged_with_its_values(any_deployment):
    [parameters, *_] = [
        group["Parameters"]
        for kind in ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup")
        for group in any_deployment.properties(kind)
    ]

    assert parameters.items() >= LOGGED_WITHOUT_VALUES.items()
    assert parameters["log_parameter_max_length"] == parameters["auto_explain.log_parameter_max_length"] == "0"
    thresholds = {parameters["log_min_duration_statement"], parameters["auto_explain.log_min_duration"]}
    assert thresholds == ({"30"} if any_deployment.stage.logged_statement else {"-1"})


def test_the_log_of_the_database_goes_to_a_group_that_expires(deployment):
    retention = {
        group.get("LogGroupName"): group["RetentionInDays"] for group in deployment.properties("AWS::Logs::LogGroup")
    }

    assert retention[f"/aws/rds/instance/{deployment.stage.prefix}/postgresql"] == deployment.stage.log_retention_days


def test_the_logs_of_the_database_are_made_before_it_would_make_its_own(deployment):
    for type_ in ("AWS::RDS::DBInstance", "AWS::RDS::DBProxy"):
        [resource] = deployment.resources(type_).values()

        assert any("Logs" in name for name in resource["DependsOn"])


def test_the_proxy_takes_iam_tokens_over_tls_and_holds_no_secret(deployment):
    [proxy] = deployment.properties("AWS::RDS::DBProxy")

    assert proxy["DefaultAuthScheme"] == "IAM_AUTH"
    assert proxy["RequireTLS"] is True
    assert "Auth" not in proxy


def test_the_proxy_may_connect_as_the_application_and_nothing_else(deployment):
    [proxy] = deployment.properties("AWS::RDS::DBProxy")
    [statement] = deployment.statements_of(proxy["RoleArn"]["Fn::GetAtt"][0])
    [resource] = resources_of(statement)

    assert actions_of(statement) == {"rds-db:connect"}
    assert resource.endswith('"/app"]]}')


def test_only_the_proxy_and_the_management_function_reach_the_database(deployment):
    admitted = [
        rule["SourceSecurityGroupId"]["Fn::GetAtt"][0]
        for rule in deployment.properties("AWS::EC2::SecurityGroupIngress")
        if rule["GroupId"]["Fn::GetAtt"][0].startswith("NetworkDatabase")
    ]

    assert sorted(name.rstrip("0123456789ABCDEF") for name in admitted) == ["NetworkManagement", "NetworkProxy"]


def test_no_security_group_has_a_rule_twice(deployment):
    """EC2 refuses the second, whatever its description, and CDK sees no harm in it."""
    for type_, peer in (("Ingress", "SourceSecurityGroupId"), ("Egress", "DestinationSecurityGroupId")):
        rules = deployment.properties(f"AWS::EC2::SecurityGroup{type_}")
        pairs = [(rule["GroupId"]["Fn::GetAtt"][0], rule[peer]["Fn::GetAtt"][0]) for rule in rules]

        assert len(pairs) == len(set(pairs))


def test_the_network_has_no_way_out(deployment):
    for type_ in ("InternetGateway", "NatGateway", "EgressOnlyInternetGateway", "Route"):
        assert deployment.resources(f"AWS::EC2::{type_}") == {}


def test_no_security_group_admits_an_address(deployment):
    groups = deployment.properties("AWS::EC2::SecurityGroup") + deployment.properties("AWS::EC2::SecurityGroupIngress")

    assert not any("CidrIp" in json.dumps(group.get("SecurityGroupIngress", [])) for group in groups)
    assert not any("CidrIp" in group for group in groups)


def test_what_functions_call_has_an_endpoint(deployment):
    services = {json.dumps(endpoint["ServiceName"]) for endpoint in deployment.properties("AWS::EC2::VPCEndpoint")}

    for name in ("s3", "sqs", "secretsmanager"):
        assert any(f".{name}" in service for service in services)


def test_every_endpoint_admits_this_account_only(deployment):
    """So neither stolen data nor the credentials of another account can leave by the one way that there is."""
    for endpoint in deployment.properties("AWS::EC2::VPCEndpoint"):
        [statement] = endpoint["PolicyDocument"]["Statement"]

        assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
        assert "*" not in resources_of(statement)


def test_s3_is_reached_for_the_declared_buckets_only(deployment):
    [endpoint] = [
        item for item in deployment.properties("AWS::EC2::VPCEndpoint") if item["VpcEndpointType"] == "Gateway"
    ]
    [statement] = endpoint["PolicyDocument"]["Statement"]
    buckets = {
        deployment.data_stack.resolve(bucket.bucket.bucket_arn)["Fn::GetAtt"][0]
        for bucket in deployment.data_stack.buckets.values()
    }

    assert len(statement["Resource"]) == 2 * len(buckets)
    assert all(any(name in resource for name in buckets) for resource in resources_of(statement))
    assert not any(action.endswith("*") for action in actions_of(statement))


def test_the_parameters_follow_from_the_instances_memory(prod, dev):
    [large] = prod.properties("AWS::RDS::DBParameterGroup")
    [small] = dev.properties("AWS::RDS::DBParameterGroup")

    for name in ("shared_buffers", "effective_cache_size", "maintenance_work_mem", "max_connections"):
        assert int(large["Parameters"][name]) == 4 * int(small["Parameters"][name])
    # In pages of 8 KB: a quarter of 1 GB, and three quarters.
    assert small["Parameters"]["shared_buffers"] == str(256 * 1024 // 8)
    assert small["Parameters"]["effective_cache_size"] == str(768 * 1024 // 8)


def test_all_connections_busy_with_sorts_fit_into_the_memory(deployment):
    [group] = deployment.properties("AWS::RDS::DBParameterGroup")
    parameters = {name: int(value) for name, value in group["Parameters"].items() if value.isdecimal()}
    memory_kb = parameters["shared_buffers"] * 8 * 4

    sorts_kb = parameters["max_connections"] * 3 * parameters["work_mem"]
    assert sorts_kb + parameters["shared_buffers"] * 8 <= memory_kb


def test_members_are_kept_where_data_is(prod):
    [pool] = prod.resources("AWS::Cognito::UserPool").values()
    [client] = prod.properties("AWS::Cognito::UserPoolClient")

    assert (pool["DeletionPolicy"], pool["Properties"]["DeletionProtection"]) == ("Retain", "ACTIVE")
    assert client["ExplicitAuthFlows"] == ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    assert client["GenerateSecret"] is False


def test_every_bucket_is_private(deployment):
    for bucket in deployment.properties("AWS::S3::Bucket"):
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_every_bucket_refuses_plain_http(deployment):
    refusing = {
        policy["Bucket"]["Ref"]
        for policy in deployment.properties("AWS::S3::BucketPolicy")
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }

    assert refusing == set(deployment.resources("AWS::S3::Bucket"))


def test_objects_expire_as_declared(deployment):
    for declaration in TOPOLOGY.buckets:
        bucket = deployment.data_stack.resolve(deployment.data_stack.buckets[declaration.name].bucket.bucket_name)[
            "Ref"
        ]
        [rule] = deployment.resources("AWS::S3::Bucket")[bucket]["Properties"]["LifecycleConfiguration"]["Rules"]
        expected = declaration.expires_after.days if declaration.expires_after else None

        assert rule.get("ExpirationInDays") == expected


def test_every_declared_bucket_tells_eventbridge_of_its_objects(deployment):
    telling = [
        bucket
        for bucket in deployment.properties("AWS::S3::Bucket")
        if bucket.get("NotificationConfiguration") == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    ]

    assert len(telling) == len(TOPOLOGY.buckets)


def test_production_cannot_be_deleted_by_accident(prod):
    [database] = prod.resources("AWS::RDS::DBInstance").values()

    assert prod.data_stack.termination_protection
    assert database["Properties"]["DeletionProtection"] is True
    assert database["Properties"]["BackupRetentionPeriod"] == prod.stage.database_backup_days
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")


def test_production_keeps_its_buckets(prod):
    for bucket in prod.resources("AWS::S3::Bucket").values():
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_production_has_a_standby_and_an_endpoint_in_each_zone(prod):
    [database] = prod.properties("AWS::RDS::DBInstance")
    interfaces = [item for item in prod.properties("AWS::EC2::VPCEndpoint") if item["VpcEndpointType"] == "Interface"]

    assert database["MultiAZ"] is True
    assert [len(item["SubnetIds"]) for item in interfaces] == [2, 2]
