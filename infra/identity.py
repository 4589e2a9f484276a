"""Who the staff are, and how they sign in."""

import aws_cdk as cdk
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.config import Config

TEAMS = {
    "CS": "Customer support",
    "GS": "Government solutions: municipalities and their forms",
    "IT": "Systems; privacy requests",
}
"""The only three teams with access (manual, clause D2)."""

SIGNED_IN_PATH = "/callback"
SIGNED_OUT_PATH = "/"


class StaffPool(Construct):
    """The user pool, its three groups and its sign-in page."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True, email=True),
            sign_in_case_sensitive=False,
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            # The stand-in's sign-in page cannot ask for a second factor.
            mfa=cognito.Mfa.OFF if config.local else cognito.Mfa.REQUIRED,
            mfa_second_factor=None
            if config.local
            else cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=cdk.Duration.days(3),
            ),
            feature_plan=None if config.local else cognito.FeaturePlan.PLUS,
            standard_threat_protection_mode=None
            if config.local
            else cognito.StandardThreatProtectionMode.FULL_FUNCTION,
            deletion_protection=not config.local,
            removal_policy=config.removal_policy,
        )
        for team, description in TEAMS.items():
            cognito.UserPoolGroup(
                self, team, user_pool=self.pool, group_name=team, description=description
            )
        self.domain = self.pool.add_domain(
            "Domain",
            cognito_domain=cognito.CognitoDomainOptions(
                domain_prefix=config.cognito_domain_prefix or f"optin-{cdk.Aws.ACCOUNT_ID}"
            ),
        )
        self.sign_in_url = config.cognito_domain_url or self.domain.base_url()


class StaffClient(Construct):
    """The console's registration with the pool: authorization code, PKCE, no secret."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        pool: cognito.IUserPool,
        console_url: str,
    ) -> None:
        super().__init__(scope, id_)
        self.client = cognito.UserPoolClient(
            self,
            "Client",
            user_pool=pool,
            generate_secret=False,
            # A password straight to the API is for local tests; people use the sign-in page.
            auth_flows=cognito.AuthFlow(user_password=config.local),
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL],
                callback_urls=[f"{console_url}{SIGNED_IN_PATH}"],
                logout_urls=[f"{console_url}{SIGNED_OUT_PATH}"],
            ),
            supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
            access_token_validity=cdk.Duration.hours(1),
            id_token_validity=cdk.Duration.hours(1),
            refresh_token_validity=cdk.Duration.hours(12),
            enable_token_revocation=True,
            prevent_user_existence_errors=True,
        )
