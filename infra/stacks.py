"""Three stacks, one per lifecycle: data for good, people for long, the app for today."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import environment, permissions
from infra.alarms import Alarms
from infra.apis import HttpFront, Rate
from infra.changes import ContactChanges
from infra.config import Config
from infra.data import Keys, Secrets, Tables
from infra.functions import OptinFunction
from infra.identity import StaffClient, StaffPool
from infra.inbound import InboundBucket, ReceivedMail, Receiving
from infra.jobs import CampaignStarts, CaseSweep, FailureQueue, Jobs
from infra.mail import Mail, MailEvents
from infra.permissions import PERMISSIONS, Resources

APP_STACK = "OptinApp"


class DataStack(cdk.Stack):
    """Keys, tables, secrets, raw mail."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id_,
            env=config.environment,
            synthesizer=config.synthesizer(),
            termination_protection=not config.local,
        )
        self.keys = Keys(self, "Keys", config=config, app_stack=APP_STACK)
        self.tables = Tables(self, "Tables", config=config, key=self.keys.data)
        self.secrets = Secrets(self, "Secrets", config=config, key=self.keys.secrets)
        self.inbound = InboundBucket(self, "Inbound", config=config, key=self.keys.mail)
        cdk.CfnOutput(self, "InboundBucketName", value=self.inbound.bucket.bucket_name)
        for name, table in self.tables.by_name.items():
            cdk.CfnOutput(self, f"{name.capitalize()}Table", value=table.table_name)
        # All that the app could ever import, so that what it imports today changes nothing here:
        # AWS refuses to drop an export in use, the stand-in to add one without another change.
        for table in self.tables.by_name.values():
            self.export_value(table.table_name)
            self.export_value(table.table_arn)
        self.export_value(self.tables.by_name["contacts"].table_stream_arn)
        self.export_value(self.inbound.bucket.bucket_name)
        self.export_value(self.inbound.bucket.bucket_arn)
        for key in (self.keys.data, self.keys.secrets, self.keys.mail, self.keys.operations):
            self.export_value(key.key_arn)
        self.export_value(self.secrets.contact_key_arn)
        self.export_value(self.secrets.link_keys_arn)


class IdentityStack(cdk.Stack):
    """The staff's user pool."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(
            scope,
            id_,
            env=config.environment,
            synthesizer=config.synthesizer(),
            termination_protection=not config.local,
        )
        self.staff = StaffPool(self, "Staff", config=config)
        cdk.CfnOutput(self, "UserPoolId", value=self.staff.pool.user_pool_id)
        cdk.CfnOutput(self, "UserPoolDomain", value=self.staff.domain.domain_name)
        self.export_value(self.staff.pool.user_pool_id)
        self.export_value(self.staff.domain.domain_name)


class AppStack(cdk.Stack):
    """Functions, APIs, queue, mail and alarms: nothing that could not be deployed anew."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Config,
        data: DataStack,
        identity: IdentityStack,
        asset: Path,
    ) -> None:
        super().__init__(scope, id_, env=config.environment, synthesizer=config.synthesizer())
        key = data.keys.operations
        alarms = Alarms(self, "Alarms", config=config, key=key)
        mail = Mail(self, "Mail", config=config)
        campaign_failures = FailureQueue(
            self, "CampaignFailures", config=config, key=key, alarms=alarms
        )
        feedback_failures = FailureQueue(
            self, "FeedbackFailures", config=config, key=key, alarms=alarms
        )
        standings_failures = FailureQueue(
            self, "StandingsFailures", config=config, key=key, alarms=alarms
        )
        inbound_failures = FailureQueue(
            self, "InboundFailures", config=config, key=key, alarms=alarms
        )
        case_failures = FailureQueue(self, "CaseFailures", config=config, key=key, alarms=alarms)
        jobs = Jobs(
            self,
            "CampaignJobs",
            config=config,
            key=key,
            failures=campaign_failures.queue,
            worker="campaign_sender",
        )
        inbound = Jobs(
            self,
            "InboundMail",
            config=config,
            key=key,
            failures=inbound_failures.queue,
            worker="mail_intake",
        )
        case_jobs = Jobs(
            self,
            "CaseJobs",
            config=config,
            key=key,
            failures=case_failures.queue,
            worker="case_worker",
        )
        received = ReceivedMail(
            self,
            "ReceivedMail",
            config=config,
            key=key,
            queue=inbound.queue,
            failures=inbound_failures.queue,
        )
        if not config.local:  # the stand-in has no receipt rules; local/mailbox is in their place
            Receiving(
                self,
                "Receiving",
                config=config,
                bucket=data.inbound.bucket,
                topic=received.topic,
                alarms=alarms,
            )

        sweep = CaseSweep(self, "CaseSweep")
        starts = CampaignStarts(self, "CampaignStarts")

        # The APIs first, without routes: functions may know their addresses, not the reverse.
        public = HttpFront(
            self,
            "PublicFront",
            name="public",
            config=config,
            key=key,
            alarms=alarms,
            rate=Rate(steady=50, burst=100),
            url=config.public_url,
        )
        staff = HttpFront(
            self,
            "StaffFront",
            name="staff",
            config=config,
            key=key,
            alarms=alarms,
            rate=Rate(steady=20, burst=40),
            url=config.staff_api_url,
        )
        console = HttpFront(
            self,
            "ConsoleFront",
            name="console",
            config=config,
            key=key,
            alarms=alarms,
            rate=Rate(steady=20, burst=40),
            url=config.console_url,
        )
        pool = identity.staff.pool
        client = StaffClient(
            self,
            "StaffClient",
            config=config,
            pool=pool,
            console_url=console.url,
        ).client

        resources = Resources(
            **data.tables.by_name,
            contact_key_arn=data.secrets.contact_key_arn,
            link_keys_arn=data.secrets.link_keys_arn,
            data_key=data.keys.data,
            secrets_key=data.keys.secrets,
            mail_key=data.keys.mail,
            operations_key=key,
            inbound_bucket=data.inbound.bucket,
            inbound_mail=inbound.queue,
            case_jobs=case_jobs.queue,
            inbound_failures=inbound_failures.queue,
            case_failures=case_failures.queue,
            campaign_jobs=jobs.queue,
            campaign_failures=campaign_failures.queue,
            campaign_starts_role=starts.role,
            schedules_arn=starts.schedules_arn,
            feedback_failures=feedback_failures.queue,
            standings_failures=standings_failures.queue,
            mail_identity_arn=mail.identity_arn,
            configuration_set_arn=mail.configuration_set_arn,
        )
        starts.permit(permissions.campaign_starts(resources))
        sweep.start(
            jobs=case_jobs.queue,
            failures=case_failures.queue,
            statements=permissions.case_sweep(resources),
        )
        environments = environment.environments(
            config,
            resources,
            environment.Urls(
                public=public.url,
                staff_api=staff.url,
                console=console.url,
                sign_in=identity.staff.sign_in_url,
            ),
            configuration_set=mail.configuration_set.configuration_set_name,
            client_id=client.user_pool_client_id,
        )
        code = lambda_.Code.from_asset(str(asset))
        functions = {
            name: OptinFunction(
                self,
                _pascal(name),
                config=config,
                name=name,
                code=code,
                environment=environments[name],
                statements=permitted(resources),
                operations_key=key,
                alarms=alarms,
                dead_letter_queue=feedback_failures.queue if name == "ses_feedback" else None,
            )
            for name, permitted in PERMISSIONS.items()
        }

        data.inbound.holds_mail_for(
            *(functions[name].policy for name in ("staff_api", "mail_intake", "case_worker"))
        )
        jobs.feed(functions["campaign_sender"].function)
        inbound.feed(functions["mail_intake"].function)
        case_jobs.feed(functions["case_worker"].function)
        ContactChanges(
            self,
            "ContactChanges",
            contacts=data.tables.by_name["contacts"],
            function=functions["standings"].function,
            failures=standings_failures.queue,
        )
        starts.are_made_by(functions["staff_api"].policy)
        rule = MailEvents(
            self,
            "MailEvents",
            configuration_set=mail.configuration_set.configuration_set_name,
            function=functions["ses_feedback"].function,
            failures=feedback_failures.queue,
        ).rule
        _watch_counts(alarms)
        # ANY and $default too, so that a wrong method or path gets the function's own answer.
        public.route(
            "GET /forms/{form_id}",
            "POST /forms/{form_id}",
            "OPTIONS /forms/{form_id}",
            "ANY /forms/{form_id}",
            "GET /forms/{form_id}/thanks",
            "ANY /forms/{form_id}/thanks",
            "GET /forms/{form_id}/embed",
            "ANY /forms/{form_id}/embed",
            "GET /health",
            "ANY /health",
            "$default",
            to=functions["form_intake"],
            open_because="Forms are for everyone; the function limits posts per source.",
        )
        public.route(
            "GET /u/{token}",
            "POST /u/{token}",
            "ANY /u/{token}",
            "POST /u/{token}/undo",
            "ANY /u/{token}/undo",
            "POST /u/{token}/reason",
            "ANY /u/{token}/reason",
            to=functions["unsubscribe"],
            open_because="Unsubscribing needs no sign-in (RFC 8058); the signed link is the proof.",
        )
        public.route(
            "GET /v/{token}",
            "POST /v/{token}",
            "ANY /v/{token}",
            to=functions["case_link"],
            open_because="Mailed to the address itself: the signed, single-use link is the proof.",
        )
        staff.require_sign_in(
            issuer=f"https://cognito-idp.{self.region}.amazonaws.com/{pool.user_pool_id}",
            client_id=client.user_pool_client_id,
        )
        staff.route("ANY /{proxy+}", "$default", to=functions["staff_api"])
        staff.route(
            "GET /openapi.json",
            to=functions["staff_api"],
            open_because="The description of the API holds no data; clients read it to sign in.",
        )
        console.route(
            "ANY /{proxy+}",
            "ANY /",
            to=functions["console"],
            open_because="The console signs people in itself and has no access to data without "
            "their token.",
        )

        outputs = {
            "PublicApiId": public.api.api_id,
            "PublicUrl": public.url,
            "StaffApiId": staff.api.api_id,
            "StaffApiUrl": staff.url,
            "ConsoleApiId": console.api.api_id,
            "ConsoleUrl": console.url,
            "UserPoolClientId": client.user_pool_client_id,
            "CampaignQueueUrl": jobs.queue.queue_url,
            "CampaignFailuresUrl": campaign_failures.queue.queue_url,
            "FeedbackFailuresUrl": feedback_failures.queue.queue_url,
            "StandingsFailuresUrl": standings_failures.queue.queue_url,
            "ReceivedMailTopicArn": received.topic.topic_arn,
            "InboundQueueUrl": inbound.queue.queue_url,
            "InboundFailuresUrl": inbound_failures.queue.queue_url,
            "CaseQueueUrl": case_jobs.queue.queue_url,
            "CaseFailuresUrl": case_failures.queue.queue_url,
            "ConfigurationSet": mail.configuration_set.configuration_set_name,
            "MailEventsRule": rule.rule_name,
            "AlarmTopicArn": alarms.topic.topic_arn,
            **{
                f"{_pascal(name)}Function": f.function.function_name
                for name, f in functions.items()
            },
        }
        if not config.local:
            # What the domain's DNS needs.
            for number, record in enumerate(mail.identity.dkim_records, 1):
                outputs[f"DkimRecord{number}"] = f"{record.name} CNAME {record.value}"
            inbound_host = f"inbound-smtp.{self.region}.amazonaws.com"
            outputs["MxRecord"] = f"{config.mail_domain} MX 10 {inbound_host}"
        for name, value in outputs.items():
            cdk.CfnOutput(self, name, value=value)


def _watch_counts(alarms: Alarms) -> None:
    """What the functions themselves count."""

    def watch(id_: str, count: str, service: str, description: str, **more: Any) -> None:
        how = {"statistic": "Sum", "period": cdk.Duration.minutes(5), **more}
        metric = cloudwatch.Metric(
            namespace=environment.METRICS,
            metric_name=count,
            dimensions_map={"service": service},
            **how,
        )
        alarms.watch(id_, metric, description=description)

    watch(
        "Reputation",
        "ReputationBreach",
        "ses_feedback",
        "too many bounces or complaints: running campaigns were paused",
    )
    watch(
        "MailsStuck",
        "CaseMailsStuck",
        "case_worker",
        "an answer to a person could not be mailed",
    )
    watch(
        "Overdue",
        "CasesOverdue",
        "case_worker",
        "a request was not answered by the day it was due",
        # Counted every hour; in between it still is so.
        statistic="Maximum",
        period=cdk.Duration.hours(1),
    )
    watch(
        "TenDaysOld",
        "Case_warned",
        "case_worker",
        "a request is ten days old and still open",
    )


def _pascal(name: str) -> str:
    return name.title().replace("_", "")
