"""Outgoing mail, and what SES reports about it."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config


class Mail(Construct):
    """The sending domain and its configuration set, which reports to the default event bus."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_)
        self.configuration_set = ses.ConfigurationSet(
            self,
            "ConfigurationSet",
            reputation_metrics=True,
            # Bounces are kept by us: SES's own list would also hold an address whose bounce
            # staff have lifted (a carrier's filter, law-and-mail E5).
            suppression_reasons=ses.SuppressionReasons.COMPLAINTS_ONLY,
        )
        self.configuration_set.add_event_destination(
            "Events",
            destination=ses.EventDestination.event_bus(
                events.EventBus.from_event_bus_name(self, "DefaultBus", "default")
            ),
            events=[
                ses.EmailSendingEvent.SEND,
                ses.EmailSendingEvent.DELIVERY,
                ses.EmailSendingEvent.DELIVERY_DELAY,
                ses.EmailSendingEvent.BOUNCE,
                ses.EmailSendingEvent.COMPLAINT,
                ses.EmailSendingEvent.REJECT,
                ses.EmailSendingEvent.RENDERING_FAILURE,
            ],
        )
        self.identity = ses.EmailIdentity(
            self,
            "Identity",
            identity=ses.Identity.domain(config.mail_domain),
            configuration_set=self.configuration_set,
            mail_from_domain=f"bounce.{config.mail_domain}",
            feedback_forwarding=False,
        )
        stack = cdk.Stack.of(self)
        self.identity_arn = self.identity.email_identity_arn
        self.configuration_set_arn = stack.format_arn(
            service="ses",
            resource="configuration-set",
            resource_name=self.configuration_set.configuration_set_name,
        )


class MailEvents(Construct):
    """SES's events to the function that notes them; what cannot be delivered is kept."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        configuration_set: str,
        function: lambda_.IFunction,
        failures: sqs.IQueue,
    ) -> None:
        super().__init__(scope, id_)
        self.rule = events.Rule(
            self,
            "Rule",
            description="optin: what SES reports about mail",
            event_pattern=events.EventPattern(
                source=["aws.ses"],
                # Not the mail of other systems in the same account.
                detail={"mail": {"tags": {"ses:configuration-set": [configuration_set]}}},
            ),
        )
        self.rule.add_target(
            targets.LambdaFunction(
                function,
                dead_letter_queue=failures,
                max_event_age=cdk.Duration.hours(24),
                retry_attempts=185,
            )
        )
