"""SECRET_KEY, and the secrets that a stage declares: what the functions read while they start."""

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from serverless_django.deploy.components.logs import removal_policy_of
from serverless_django.deploy.config import Stage
from serverless_django.deploy.nag import accept


class ProjectSecrets(Construct):
    """Django's SECRET_KEY, which is generated here, and a secret that the command line writes.

    The second one is no resource of the stack: so it can be written before the first deploy, and no
    change of a template can overwrite or delete its values.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, secret_key: bool) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self._key = self._generated() if secret_key else None

    def _generated(self) -> secretsmanager.Secret:
        key = secretsmanager.Secret(
            self,
            "Django",
            description="Django's SECRET_KEY",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106 (empty)
                generate_string_key="SECRET_KEY",
                password_length=50,
            ),
            removal_policy=removal_policy_of(self._stage),
        )
        CfnOutput(Stack.of(self), "SecretKeyArn", value=key.secret_arn)
        accept(key, {"AwsSolutions-SMG4": "changed by command, with the old key as a fallback for a time"})
        return key

    @property
    def ids(self) -> tuple[str, ...]:
        """What the functions ask Secrets Manager for."""
        return (
            *([self._key.secret_arn] if self._key else []),
            *([self._stage.secret_name] if self._stage.secrets else []),
        )

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let `grantee` read them in one call."""
        arns = [*([self._key.secret_arn] if self._key else []), *([self._declared_arn] if self._stage.secrets else [])]
        if not arns:
            return
        iam.Grant.add_to_principal(grantee=grantee, actions=["secretsmanager:GetSecretValue"], resource_arns=arns)
        # The call that takes a list; what is in the list is granted above, secret by secret.
        iam.Grant.add_to_principal(grantee=grantee, actions=["secretsmanager:BatchGetSecretValue"], resource_arns=["*"])

    @property
    def url(self) -> str:
        """Where the functions ask; the classic names of AWS's services have no IPv6 address."""
        stack = Stack.of(self)
        suffix = "api.aws" if self._stage.egress == "ipv6" else stack.url_suffix
        return f"https://secretsmanager.{stack.region}.{suffix}" if self.ids else ""

    @property
    def _declared_arn(self) -> str:
        # Secrets Manager ends the ARN with a hyphen and six random characters.
        return Stack.of(self).format_arn(
            service="secretsmanager", resource="secret", resource_name=f"{self._stage.secret_name}-??????",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )  # fmt: skip
