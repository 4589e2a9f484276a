"""What every staff route works with: dependencies, and who is asking."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from functions.staff_api.permissions import OF_ROUTE
from shared.adapters import aws
from shared.adapters.campaigns import CampaignStore
from shared.adapters.cases import CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.figures import Figures
from shared.adapters.forms import FormStore
from shared.adapters.http import Request
from shared.adapters.jobs import JobQueue
from shared.adapters.ledger import Ledger
from shared.adapters.mailer import Identities, Mailer
from shared.adapters.rawmail import RawMail
from shared.adapters.received import ReceivedStore
from shared.adapters.scheduler import Schedules
from shared.adapters.secrets import Secrets
from shared.adapters.standings import StandingStore
from shared.domain.address import Address, AddressError, contact_id, parse_address
from shared.domain.cases import Case
from shared.domain.errors import FieldProblem, NotAllowed, Unprocessable
from shared.domain.teams import Permission, Team, may, teams_of
from shared.mail.compose import Composer
from shared.settings import StaffApiSettings, load
from shared.telemetry import logger


@dataclass(frozen=True)
class Deps:
    """What the routes work with."""

    settings: StaffApiSettings
    contacts: ContactStore
    forms: FormStore
    campaigns: CampaignStore
    ledger: Ledger
    jobs: JobQueue
    secrets: Secrets
    standings: StandingStore
    mailer: Mailer
    identities: Identities
    schedules: Schedules
    figures: Figures
    cases: CaseStore
    received: ReceivedStore
    raw_mail: RawMail
    case_jobs: JobQueue

    def contact_id_of(self, email: str) -> str:
        """The id under which an address is kept.

        Raises:
            Unprocessable: it is not an address.
        """
        key = self.secrets.contact_key(self.settings.contact_key_secret)
        return contact_id(self.address(email).lookup, key)

    def is_own_mailbox(self, case: Case) -> bool:
        """Answers go to the address that the request is about, and nowhere else."""
        return bool(case.reply_to) and self.contact_id_of(case.reply_to) == case.contact_id

    def address(self, email: str, field: str = "email") -> Address:
        """An address as it was given in ``field``.

        Raises:
            Unprocessable: it is not an address.
        """
        try:
            return parse_address(email)
        except AddressError as error:
            problem = FieldProblem(error.code, error.ja, error.en, error.suggestion)
            raise Unprocessable({field: problem}) from None

    def composer(self) -> Composer:
        """What makes the mails."""
        return Composer(
            self.settings.company,
            self.settings.mail_domain,
            self.settings.public_url,
            self.secrets.link_keys(self.settings.link_keys_secret),
        )


@cache
def default_deps() -> Deps:
    """The dependencies of the running function."""
    settings = load(StaffApiSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, settings.events_table),
        FormStore(dynamodb, settings.forms_table),
        CampaignStore(dynamodb, settings.campaigns_table),
        Ledger(dynamodb, settings.ledger_table, settings.contacts_table),
        JobQueue(aws.sqs(), settings.campaign_queue_url),
        Secrets(aws.secretsmanager()),
        standings=StandingStore(dynamodb, settings.standings_table),
        mailer=Mailer(aws.sesv2(), settings.configuration_set),
        identities=Identities(aws.sesv2_questions()),
        schedules=Schedules(
            aws.scheduler(),
            role_arn=settings.schedule_role_arn,
            queue_arn=settings.campaign_queue_arn,
            failures_arn=settings.schedule_failures_arn,
            zone=settings.schedule_time_zone,
        ),
        figures=Figures(dynamodb, settings.ledger_table, settings.events_table),
        cases=CaseStore(dynamodb, settings.cases_table),
        received=ReceivedStore(dynamodb, settings.received_table),
        raw_mail=RawMail(aws.s3(), settings.inbound_bucket),
        case_jobs=JobQueue(aws.sqs(), settings.case_queue_url),
    )


@dataclass(frozen=True)
class Call:
    """One request of a signed-in member of staff."""

    deps: Deps
    request: Request
    operator: str
    teams: frozenset[Team]

    def require(self, permission: Permission) -> None:
        """Let only the teams pass that may do this; a denial is logged (manual D2).

        Raises:
            NotAllowed: the member's teams may not.
        """
        if may(self.teams, permission):
            return
        logger.warning(
            "denied",
            extra={
                "operator": self.operator,
                "teams": sorted(self.teams),
                "permission": permission,
            },
        )
        raise NotAllowed(
            "wrong_team",
            "この操作を行う権限がありません。担当部署にご依頼ください。",
            "Your team may not do this.",
        )


def call_of(router: BaseRouter) -> Call:
    """The current request, if its sender may use this route.

    Raises:
        NotAllowed: the member's teams may not.
    """
    deps: Deps = router.context["deps"]
    event: Mapping[str, Any] = router.current_event.raw_event
    claims = event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims", {})
    call = Call(
        deps,
        Request(event),
        str(claims.get("username") or claims.get("cognito:username") or ""),
        teams_of(str(claims.get("cognito:groups", ""))),
    )
    call.require(OF_ROUTE[f"{router.request.method} {router.request.route}"])
    return call
