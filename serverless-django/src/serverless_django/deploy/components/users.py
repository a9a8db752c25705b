"""Who may call the API: the tokens of an issuer that the stage names, or of a user pool of our own."""

from dataclasses import dataclass
from typing import Self

from aws_cdk import Duration
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from serverless_django.deploy.components.logs import removal_policy_of
from serverless_django.deploy.config import Stage
from serverless_django.deploy.nag import accept


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenIssuer:
    """Whose tokens are taken, and which of them.  Strings may be CDK tokens."""

    url: str
    audience: tuple[str, ...]

    @classmethod
    def named_by(cls, stage: Stage) -> Self | None:
        return cls(url=stage.jwt_issuer, audience=stage.audience) if stage.jwt_issuer else None


class Users(Construct):
    """A Cognito user pool and the client with which phones sign in, by SRP and so without showing the password.

    Django reads `sub` and `preferred_username`, which stand in the id token.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            self_sign_up_enabled=True,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            standard_attributes=cognito.StandardAttributes(
                email=cognito.StandardAttribute(required=True, mutable=True),
                preferred_username=cognito.StandardAttribute(required=True, mutable=True),
            ),
            password_policy=cognito.PasswordPolicy(
                min_length=12, require_digits=True, require_lowercase=True, require_symbols=True, require_uppercase=True
            ),
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            deletion_protection=stage.deletion_protection,
            removal_policy=removal_policy_of(stage),
        )
        self._client = self.pool.add_client(
            "Phone",
            auth_flows=cognito.AuthFlow(user_srp=True),
            # A phone keeps no secret.
            generate_secret=False,
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(90),
        )
        accept(
            self,
            {
                "AwsSolutions-COG2": "a second factor is offered; the project decides whether to force it",
                "AwsSolutions-COG3": "threat protection is billed per user",
                "AwsSolutions-COG8": "the plan with threat protection is billed per user",
            },
        )

    @property
    def issuer(self) -> TokenIssuer:
        return TokenIssuer(url=self.pool.user_pool_provider_url, audience=(self._client.user_pool_client_id,))
