"""HTTP APIs: routes, throttling, and access logs that cannot hold a token or an address."""

import json
from dataclasses import dataclass
from typing import cast

import aws_cdk as cdk
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.alarms import Alarms
from infra.config import Config
from infra.functions import LOG_RETENTION, OptinFunction

# The route's pattern, never the path (it can hold a token), the query or the visitor's address.
ACCESS_LOG = json.dumps(
    {
        "requestId": "$context.requestId",
        "requestTime": "$context.requestTime",
        "routeKey": "$context.routeKey",
        "protocol": "$context.protocol",
        "status": "$context.status",
        "responseLatency": "$context.responseLatency",
        "responseLength": "$context.responseLength",
        "integrationStatus": "$context.integration.status",
        "integrationError": "$context.integrationErrorMessage",
        "authorizerError": "$context.authorizer.error",
    }
)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """Requests a second in the long run, and at once."""

    steady: int
    burst: int


class HttpFront(Construct):
    """One HTTP API with its `$default` stage; routes are added by `route`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        config: Config,
        rate: Rate,
        key: kms.IKey,
        alarms: Alarms,
        url: str = "",
    ) -> None:
        super().__init__(scope, id_)
        self.api = apigatewayv2.HttpApi(
            self, "Api", api_name=f"optin-{name}", create_default_stage=False
        )
        self.url = url or self.api.api_endpoint
        self._authorizer: apigatewayv2.CfnAuthorizer | None = None
        log_group = logs.LogGroup(
            self,
            "AccessLogs",
            encryption_key=key,
            retention=LOG_RETENTION,
            removal_policy=config.removal_policy,
        )
        apigatewayv2.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigatewayv2.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=rate.steady,
                throttling_burst_limit=rate.burst,
                detailed_metrics_enabled=True,
            ),
            access_log_settings=apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=ACCESS_LOG
            ),
        )
        alarms.watch(
            f"{id_}ServerErrors",
            self.api.metric_server_error(period=cdk.Duration.minutes(5), statistic="Sum"),
            description=f"the {name} API answered 5xx",
        )

    def require_sign_in(self, *, issuer: str, client_id: str) -> None:
        """From here on, routes want a token of this user pool, except the open ones."""
        self._authorizer = apigatewayv2.CfnAuthorizer(
            self,
            "SignIn",
            api_id=self.api.api_id,
            name="staff",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigatewayv2.CfnAuthorizer.JWTConfigurationProperty(
                issuer=issuer, audience=[client_id]
            ),
        )

    def route(self, *routes: str, to: OptinFunction, open_because: str = "") -> None:
        """Sends routes ("GET /health", "$default") to a function; an open one says why."""
        function = to.function
        if not self.node.try_find_child(to.node.id):
            apigatewayv2.CfnIntegration(
                self,
                to.node.id,
                api_id=self.api.api_id,
                integration_type="AWS_PROXY",
                integration_uri=function.function_arn,
                payload_format_version="2.0",
            )
            # The L2 integration's permission does not cover the $default route, or else there
            # is one for each route, and a function's policy holds 20 kB.
            function.add_permission(
                f"From{self.node.id}",
                principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
                source_arn=cdk.Stack.of(self).format_arn(
                    service="execute-api", resource=self.api.api_id, resource_name="*/*"
                ),
            )
        integration = cast("apigatewayv2.CfnIntegration", self.node.find_child(to.node.id))
        authorizer = None if open_because else self._authorizer
        for key in routes:
            route = apigatewayv2.CfnRoute(
                self,
                key,
                api_id=self.api.api_id,
                route_key=key,
                target=f"integrations/{integration.ref}",
                authorization_type="JWT" if authorizer else "NONE",
                authorizer_id=authorizer.ref if authorizer else None,
            )
            if open_because:
                Validations.of(route).acknowledge(
                    Acknowledgment(id="AwsSolutions-APIG4", reason=open_because)
                )
