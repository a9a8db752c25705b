"""The rules of the web application firewall: AWS's own, and a limit for each address."""

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from serverless_django.deploy.config import Stage

MANAGED_RULES = (
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesSQLiRuleSet",
)

COUNTED_ONLY = {"AWSManagedRulesCommonRuleSet": ("SizeRestrictions_BODY",)}
"""Rules that would refuse what the API takes: a body over 8 KB is a batch of views."""


class Firewall(waf.CfnWebACL):
    """Blocks what matches a rule.  CloudFront takes it from us-east-1 only."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(
            scope,
            id,
            scope="CLOUDFRONT",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible(stage.prefix),
            rules=[_rate_rule(stage), *(_managed_rule(name, 1 + rank) for rank, name in enumerate(MANAGED_RULES))],
        )


def _rate_rule(stage: Stage) -> waf.CfnWebACL.RuleProperty:
    limit = waf.CfnWebACL.RateBasedStatementProperty(limit=stage.edge_requests_per_address, aggregate_key_type="IP")
    return waf.CfnWebACL.RuleProperty(
        name="rate",
        priority=0,
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=limit),
        visibility_config=_visible("rate"),
    )


def _managed_rule(name: str, priority: int) -> waf.CfnWebACL.RuleProperty:
    counted = [
        waf.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={}))
        for rule in COUNTED_ONLY.get(name, ())
    ]
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        name=name, vendor_name="AWS", rule_action_overrides=counted or None
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        visibility_config=_visible(name),
    )


def _visible(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )
