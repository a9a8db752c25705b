"""What each switch of a stage changes in the templates."""

import json

import pytest

from lambda_app.topology import TOPOLOGY
from serverless_django.contract.environment import CACHE_ACCESS
from serverless_django.s3.storage import URL_LIFETIME_SECONDS
from tests.deployment import actions_of, role_of


def test_every_switch_is_turned_in_some_synth(any_deployment, request):
    """Every switch of a stage is synthesized in both positions."""
    from serverless_django.deploy.config import Stage
    from tests.deployment import STAGES
    from tests.infrastructure.conftest import SWITCHED

    turned = {key for values in SWITCHED.values() for key in values}
    used = {key for key in Stage.__dataclass_fields__ for stage in STAGES.values() if _differs(stage, key)}

    assert {key for key, value in Stage.__dataclass_fields__.items() if value.type == "bool"} <= turned | used


def test_aurora_takes_the_place_of_the_instance_behind_the_same_proxy(everything):
    [cluster] = everything.properties("AWS::RDS::DBCluster")
    [group] = everything.properties("AWS::RDS::DBProxyTargetGroup")

    assert cluster["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 4}
    assert cluster["ManageMasterUserPassword"] is cluster["EnableIAMDatabaseAuthentication"] is True
    assert cluster["StorageEncrypted"] is cluster["DeletionProtection"] is True
    assert len(everything.resources("AWS::RDS::DBInstance")) == 2
    assert group["DBClusterIdentifiers"]


def test_auroras_parameters_leave_its_memory_and_storage_to_itself(everything):
    [group] = everything.properties("AWS::RDS::DBClusterParameterGroup")

    assert group["Parameters"]["rds.force_ssl"] == "1"
    assert group["Parameters"]["max_connections"] == "800"
    assert not {"shared_buffers", "random_page_cost", "max_wal_size"} & set(group["Parameters"])


def test_a_nat_gateway_takes_the_place_of_the_interface_endpoints(everything):
    endpoints = everything.properties("AWS::EC2::VPCEndpoint")

    assert len(everything.resources("AWS::EC2::NatGateway")) == 1
    assert [endpoint["VpcEndpointType"] for endpoint in endpoints] == ["Gateway"]


def test_the_way_out_over_ipv6_is_no_way_in(domain):
    assert len(domain.resources("AWS::EC2::EgressOnlyInternetGateway")) == 1
    assert domain.resources("AWS::EC2::InternetGateway") == domain.resources("AWS::EC2::NatGateway") == {}
    for function in domain.functions().values():
        assert function["VpcConfig"]["Ipv6AllowedForDualStack"] is True
        assert function["Environment"]["Variables"]["AWS_USE_DUALSTACK_ENDPOINT"] == "true"


@pytest.mark.parametrize("name", ["everything", "domain", "cdn"])
def test_functions_leave_by_https_only(name, request):
    deployment = request.getfixturevalue(name)
    rules = [
        rule
        for group in deployment.properties("AWS::EC2::SecurityGroup")
        for rule in group.get("SecurityGroupEgress", [])
        if "CidrIp" in rule or "CidrIpv6" in rule
    ]

    assert {rule.get("ToPort", 443) for rule in rules if rule["IpProtocol"] != "icmp"} == {443}


def test_the_database_stays_without_a_way_out_whatever_the_functions_have(everything):
    routed = {
        route["RouteTableId"]["Ref"] for route in everything.properties("AWS::EC2::Route") if "NatGatewayId" in route
    }

    assert routed
    assert all("function" in table for table in routed)


def test_reserved_and_provisioned_environments_belong_to_the_api_alone(everything):
    reserved = {
        name: function["ReservedConcurrentExecutions"]
        for name, function in everything.functions().items()
        if "ReservedConcurrentExecutions" in function
    }
    provisioned = [
        alias["ProvisionedConcurrencyConfig"]
        for alias in everything.properties("AWS::Lambda::Alias")
        if "ProvisionedConcurrencyConfig" in alias
    ]

    assert list(reserved.values()) == [everything.stage.api_max_concurrency]
    assert [name.startswith("Web") for name in reserved] == [True]
    assert provisioned == [{"ProvisionedConcurrentExecutions": 2}]


def test_only_the_api_starts_from_a_snapshot(prod, cdn):
    for deployment in (prod, cdn):
        snapped = [name for name, function in deployment.functions().items() if "SnapStart" in function]

        assert [name.startswith("Web") for name in snapped] == [True]
        assert deployment.function_named("Web")["SnapStart"] == {"ApplyOn": "PublishedVersions"}


def test_a_canary_shifts_the_api_after_the_migration_and_is_taken_back_by_alarms(prod):
    [group] = prod.properties("AWS::CodeDeploy::DeploymentGroup")
    shifted = {name: item for name, item in prod.resources("AWS::Lambda::Alias").items() if "UpdatePolicy" in item}
    [trigger] = prod.resources("Custom::Trigger")

    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert len(group["AlarmConfiguration"]["Alarms"]) == 2
    assert [name.startswith("Web") for name in shifted] == [True]
    assert all(trigger in item["DependsOn"] for item in shifted.values())


def test_what_the_old_version_does_takes_no_new_one_back(prod):
    [alarm] = [item for name, item in prod.resources("AWS::CloudWatch::Alarm").items() if "NewVersion" in name]
    dimensions = {item["Name"]: item["Value"] for item in alarm["Properties"]["Dimensions"]}

    assert set(dimensions) == {"FunctionName", "Resource", "ExecutedVersion"}
    assert "WebFunctionCurrentVersion" in json.dumps(dimensions["ExecutedVersion"])


def test_a_laptop_shifts_at_once(local):
    assert local.resources("AWS::CodeDeploy::DeploymentGroup") == {}


def test_with_cors_gateway_and_buckets_answer_the_named_origins_only(everything, dev):
    [api] = everything.properties("AWS::ApiGatewayV2::Api")
    rules = [
        bucket["CorsConfiguration"]["CorsRules"]
        for bucket in everything.properties("AWS::S3::Bucket")
        if "CorsConfiguration" in bucket
    ]

    assert api["CorsConfiguration"]["AllowOrigins"] == ["https://app.example.com"]
    assert [rule["AllowedOrigins"] for [rule] in rules] == [["https://app.example.com"]] * 2
    assert [set(rule["AllowedMethods"]) for [rule] in rules] == [{"GET", "HEAD", "POST", "PUT"}] * 2
    assert "CorsConfiguration" not in dev.properties("AWS::ApiGatewayV2::Api")[0]


def test_a_domain_is_the_only_door(domain):
    [api] = domain.properties("AWS::ApiGatewayV2::Api")
    records = domain.properties("AWS::Route53::RecordSet")

    assert api["DisableExecuteApiEndpoint"] is True
    assert sorted(record["Type"] for record in records) == ["A", "AAAA"]
    for function in domain.functions().values():
        assert function["Environment"]["Variables"]["SERVERLESS_ALLOWED_HOSTS"] == '["api.example.com"]'


def test_an_edge_says_the_secret_that_the_api_asks_for(everything, cdn):
    for deployment in (everything, cdn):
        distribution = _distribution_of_api(deployment)
        [origin] = distribution["DistributionConfig"]["Origins"]
        [header] = origin["OriginCustomHeaders"]
        [secret] = deployment.resources("AWS::SecretsManager::Secret")

        assert header["HeaderName"] == "x-origin-secret"
        assert "{{resolve:secretsmanager:" in json.dumps(header["HeaderValue"])
        assert secret in json.dumps(header["HeaderValue"])
        web = deployment.function_named("Web")
        assert web["Environment"]["Variables"]["SERVERLESS_ORIGIN_SECRET_ARN"] == {"Ref": secret}
        assert _may_read(deployment, web, secret)


def test_an_edge_caches_what_topology_says_is_public_and_nothing_else(everything):
    distribution = _distribution_of_api(everything)
    config = distribution["DistributionConfig"]
    caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

    assert config["DefaultCacheBehavior"]["CachePolicyId"] == caching_disabled
    cached = [item["PathPattern"].replace("*", "{proxy+}") for item in config["CacheBehaviors"]]
    assert cached == list(TOPOLOGY.public_paths)
    [policy] = _of(everything.application, "AWS::CloudFront::CachePolicy").values()
    assert policy["Properties"]["CachePolicyConfig"]["DefaultTTL"] == 0


def test_an_edge_hands_no_page_the_answer_for_another_origin(everything, cdn):
    for deployment in (everything, cdn):
        distribution = _distribution_of_api(deployment)
        [(name, policy)] = _of(deployment.application, "AWS::CloudFront::CachePolicy").items()
        key = policy["Properties"]["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]

        assert key["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["Origin"]}
        cached = distribution["DistributionConfig"]["CacheBehaviors"]
        assert {json.dumps(behaviour["CachePolicyId"]) for behaviour in cached} == {json.dumps({"Ref": name})}


def test_an_object_has_one_address_at_an_edge_and_is_read_there_alone(everything, cdn, prod):
    for deployment in (everything, cdn, prod):
        [(name, distribution)] = _of(deployment.data, "AWS::CloudFront::Distribution").items()
        config = distribution["Properties"]["DistributionConfig"]
        [origin] = config["Origins"]
        [bucket] = [each for each in deployment.resources("AWS::S3::Bucket") if each.startswith("Bucketmedia")]

        assert bucket in json.dumps(origin["DomainName"])
        assert "Fn::GetAtt" in origin["OriginAccessControlId"]
        assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
        assert "CacheBehaviors" not in config
        # CloudFront may read the objects of that bucket, for this distribution; the bucket stays private.
        [grant] = [each for each in _statements_of_buckets(deployment) if each["Effect"] == "Allow"
                   and each["Principal"] == {"Service": "cloudfront.amazonaws.com"}]  # fmt: skip
        assert grant["Action"] == "s3:GetObject"
        assert bucket in json.dumps(grant["Resource"])
        assert name in json.dumps(grant["Condition"]["StringEquals"]["AWS:SourceArn"])
        assert deployment.resources("AWS::S3::Bucket")[bucket]["Properties"]["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True,
        }  # fmt: skip
        for function in deployment.functions().values():
            domains = json.dumps(function["Environment"]["Variables"]["SERVERLESS_BUCKET_DOMAINS"])
            assert "media" in domains
            assert name in domains
            assert "uploads" not in domains


def test_an_object_that_was_deleted_is_gone_from_the_edge_within_the_life_of_a_link(everything):
    [policy] = _of(everything.data, "AWS::CloudFront::CachePolicy").values()
    config = policy["Properties"]["CachePolicyConfig"]

    assert config["MaxTTL"] == URL_LIFETIME_SECONDS
    assert config["ParametersInCacheKeyAndForwardedToOrigin"]["QueryStringsConfig"]["QueryStringBehavior"] == "none"


def test_without_an_edge_links_are_signed(staging):
    assert "SERVERLESS_BUCKET_DOMAINS" not in staging.function_named("Web")["Environment"]["Variables"]
    assert staging.resources("AWS::CloudFront::Distribution") == {}


def test_no_address_can_use_up_what_prod_serves_in_all(prod):
    distribution = _distribution_of_api(prod)
    [acl] = prod.edge["Resources"].values()
    [rule] = [rule for rule in acl["Properties"]["Rules"] if rule["Name"] == "rate"]
    limit = rule["Statement"]["RateBasedStatement"]

    assert "WebACLId" in distribution["DistributionConfig"]
    assert (rule["Action"], limit["AggregateKeyType"]) == ({"Block": {}}, "IP")
    assert "ScopeDownStatement" not in limit
    assert limit["Limit"] / 300 <= prod.stage.api_requests_per_second / 10
    # What Django lets one address write is not blocked before.
    assert limit["Limit"] / 5 >= prod.stage.address_writes_per_minute


def test_the_firewall_lies_in_the_region_that_cloudfront_takes_it_from(everything):
    distribution = _distribution_of_api(everything)
    [acl] = everything.edge["Resources"].values()

    assert acl["Properties"]["Scope"] == "CLOUDFRONT"
    assert distribution["DistributionConfig"]["WebACLId"]["Fn::GetStackOutput"]["Region"] == "us-east-1"
    [rate] = [rule for rule in acl["Properties"]["Rules"] if rule["Name"] == "rate"]
    assert rate["Statement"]["RateBasedStatement"]["Limit"] == everything.stage.edge_requests_per_address


def test_a_cache_has_limits_that_cap_its_price_and_admits_the_functions_alone(everything):
    [cache] = everything.properties("AWS::ElastiCache::ServerlessCache")
    [group] = [item["Fn::GetAtt"][0] for item in cache["SecurityGroupIds"]]
    admitted = {
        rule["SourceSecurityGroupId"]["Fn::GetAtt"][0].rstrip("0123456789ABCDEF")
        for rule in everything.properties("AWS::EC2::SecurityGroupIngress")
        if rule["GroupId"]["Fn::GetAtt"][0] == group
    }

    assert cache["CacheUsageLimits"]["DataStorage"] == {"Maximum": 1, "Unit": "GB"}
    assert admitted == {"NetworkFunctions"}


def test_functions_that_serve_are_told_of_the_cache_and_speak_tls_to_it(everything, dev):
    for name, function in everything.functions().items():
        url = json.dumps(function["Environment"]["Variables"].get("SERVERLESS_CACHE_URL", ""))

        assert ("rediss://" in url) is not name.startswith("Migration")
    assert not any(
        "SERVERLESS_CACHE_URL" in function["Environment"]["Variables"] for function in dev.functions().values()
    )


def test_the_cache_admits_one_user_who_has_no_password_and_may_do_what_the_code_does(everything, prod):
    for deployment in (everything, prod):
        [cache] = deployment.properties("AWS::ElastiCache::ServerlessCache")
        [(group_id, group)] = deployment.resources("AWS::ElastiCache::UserGroup").items()
        [(user_id, user)] = deployment.resources("AWS::ElastiCache::User").items()

        assert cache["UserGroupId"] == {"Ref": group_id}
        assert group["Properties"] == {
            "Engine": "valkey", "UserGroupId": deployment.stage.prefix, "UserIds": [{"Ref": user_id}]
        }  # fmt: skip
        # ElastiCache wants the id and the name of a user with IAM to be one.
        assert user["Properties"] == {
            "Engine": "valkey", "UserId": deployment.stage.prefix, "UserName": deployment.stage.prefix,
            "AccessString": CACHE_ACCESS, "AuthenticationMode": {"Type": "iam"},
        }  # fmt: skip


def test_functions_that_serve_may_sign_in_to_their_cache_as_its_user_and_to_no_other(everything, dev):
    for name, function in everything.functions().items():
        [name_of_cache] = {function["Environment"]["Variables"].get("SERVERLESS_CACHE_NAME", "")}
        granted = [
            json.dumps(resource)
            for statement in everything.statements_of(role_of(function))
            if "elasticache:Connect" in actions_of(statement)
            for resource in statement["Resource"]
        ]

        expected = [] if name.startswith("Migration") else ["serverlesscache", "user"]
        assert name_of_cache == (everything.stage.prefix if expected else "")
        assert [f":{kind}:{everything.stage.prefix}" in arn for kind, arn in zip(expected, granted, strict=True)] == [
            True for _ in expected
        ]
    assert "elasticache" not in json.dumps(dev.templates).lower()


def test_a_budget_speaks_to_the_topic_of_the_alarms(everything, dev):
    [budget] = everything.properties("AWS::Budgets::Budget")
    [topic] = everything.resources("AWS::SNS::Topic")
    [subscription] = everything.properties("AWS::SNS::Subscription")

    assert budget["Budget"]["BudgetLimit"] == {"Amount": 500, "Unit": "USD"}
    assert {
        item["Address"]["Ref"] for part in budget["NotificationsWithSubscribers"] for item in part["Subscribers"]
    } == {topic}
    assert subscription["Endpoint"] == "alarms@example.com"
    assert dev.resources("AWS::Budgets::Budget") == {}


def _of(template, type_):
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == type_}


def _distribution_of_api(deployment):
    [distribution] = _of(deployment.application, "AWS::CloudFront::Distribution").values()
    return distribution["Properties"]


def _statements_of_buckets(deployment):
    for policy in deployment.properties("AWS::S3::BucketPolicy"):
        yield from policy["PolicyDocument"]["Statement"]


def _differs(stage, key):
    from serverless_django.deploy.config import Stage

    return getattr(stage, key) != Stage.__dataclass_fields__[key].default


def _may_read(deployment, function, secret):
    return any(
        statement["Resource"] == {"Ref": secret}
        for statement in deployment.statements_of(role_of(function))
        if "secretsmanager:GetSecretValue" in actions_of(statement)
    )
