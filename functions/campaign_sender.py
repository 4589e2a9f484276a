"""Sends a campaign, one shard of the mailing list per job (manual U1, U2).

For each recipient: judge, claim in a transaction that holds the contact to what was judged,
hand to SES once, record the answer. A crash or a lost answer leaves a claim without an
outcome; SES's own send event (``ses_feedback``) settles it, and only when none came for
``settle_seconds`` is it sent again. So nobody is lost and nobody gets it twice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shared.adapters import aws
from shared.adapters.campaigns import CampaignStore
from shared.adapters.contacts import ContactStore, StaleContactError
from shared.adapters.jobs import Job, JobQueue
from shared.adapters.ledger import Ledger
from shared.adapters.mailer import Answer, Fate, Mailer
from shared.adapters.secrets import Secrets
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome, Step, next_step
from shared.domain.contact import Contact
from shared.domain.eligibility import judge
from shared.domain.errors import Unavailable
from shared.mail.compose import Composer
from shared.settings import CampaignSenderSettings, load
from shared.telemetry import count, logger

_PAGE = 50
_STOP_BEFORE_MS = 20_000  # leaves time to finish the recipient in hand and queue the rest
_MAX_DELAY_SECONDS = 900  # SQS
_RETRY_DELAY_SECONDS = 10
_TRIES = 4


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: CampaignSenderSettings
    contacts: ContactStore
    campaigns: CampaignStore
    ledger: Ledger
    jobs: JobQueue
    mailer: Mailer
    secrets: Secrets
    now: Callable[[], datetime]


@cache
def _deps() -> Deps:
    settings = load(CampaignSenderSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, ""),
        CampaignStore(dynamodb, settings.campaigns_table),
        Ledger(dynamodb, settings.ledger_table, settings.contacts_table),
        JobQueue(aws.sqs(), settings.campaign_queue_url),
        Mailer(aws.sesv2(), settings.configuration_set),
        Secrets(aws.secretsmanager()),
        lambda: datetime.now(UTC),
    )


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: Any, deps: Deps | None = None
) -> PartialItemFailureResponse:
    """Work through queue messages; one that fails is delivered again, then dead-lettered."""
    ready = deps or _deps()

    def work(record: SQSRecord) -> None:
        try:
            _Shard(ready, Job.parse(record.body), context.get_remaining_time_in_millis).send()
        except Exception:
            # The batch processor only counts it.
            logger.exception("job failed", extra={"message_id": record.message_id})
            raise

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, work, processor, context)


@dataclass
class _Shard:
    """One job at work."""

    deps: Deps
    job: Job
    remaining_ms: Callable[[], int]
    wait_seconds: int = 0  # > 0: someone is undecided, look again after that

    def send(self) -> None:
        campaign = self.deps.campaigns.get(self.job.campaign_id)
        if campaign.status is not CampaignStatus.SENDING:
            logger.warning("not sending", extra={"campaign_id": campaign.campaign_id})
            return
        composer = self._composer()
        if not self.job.settling and not self._send_to_listed(campaign, composer):
            return
        self._settle_open(campaign, composer)
        if self.wait_seconds:
            settling = replace(self.job, after="", settling=True)
            self.deps.jobs.put([settling], delay_seconds=self.wait_seconds)
        else:
            self.deps.campaigns.close_shard(campaign.campaign_id, self.job.shard)

    def _send_to_listed(self, campaign: Campaign, composer: Composer) -> bool:
        """Everyone listed who has no ledger line yet. False where time ran out."""
        after = self.job.after
        while True:
            page = self.deps.contacts.listed(self.job.shard, limit=_PAGE, after=after)
            for contact in page.contacts:
                if self.remaining_ms() < _STOP_BEFORE_MS:
                    self.deps.jobs.put([replace(self.job, after=after)])
                    return False
                self._deliver(campaign, contact, composer)
                after = contact.contact_id
            if not page.after:
                return True

    def _settle_open(self, campaign: Campaign, composer: Composer) -> None:
        """Ledger lines without an outcome: wait for SES's word, or send after all."""
        settle = timedelta(seconds=self.deps.settings.settle_seconds)
        for entry in self.deps.ledger.open_entries(campaign.campaign_id, self.job.shard):
            now = self.deps.now()
            step = next_step(entry, now, settle)
            if step is Step.SEND and self.remaining_ms() >= _STOP_BEFORE_MS:
                self._send_again(campaign, entry, composer)
            elif step is not Step.NOTHING:
                self._look_again((entry.at + settle - now).total_seconds() + 1)

    def _send_again(self, campaign: Campaign, entry: Entry, composer: Composer) -> None:
        contact = self.deps.contacts.get(entry.contact_id)
        verdict = judge(contact, self.deps.settings.eligibility_profile)
        if not verdict.eligible:
            self.deps.ledger.settle(
                entry.campaign_id, entry.contact_id, Outcome.SKIPPED, reason=verdict.reason
            )
        elif self.deps.ledger.reclaim(contact, entry, self.deps.now()) is None:
            self._hand_over(campaign, contact, composer)

    def _composer(self) -> Composer:
        settings = self.deps.settings
        return Composer(
            settings.company,
            settings.mail_domain,
            settings.public_url,
            self.deps.secrets.link_keys(settings.link_keys_secret),
        )

    def _deliver(self, campaign: Campaign, listed: Contact, composer: Composer) -> None:
        """Give one recipient at most one mail, or a ledger line that says why not."""
        contact = listed
        for _ in range(_TRIES):
            verdict = judge(contact, self.deps.settings.eligibility_profile)
            if not verdict.eligible:
                self.deps.ledger.skip(
                    campaign.campaign_id, contact.contact_id, verdict.reason, self.deps.now()
                )
                return
            try:
                if self.deps.ledger.claim(contact, campaign.campaign_id, self.deps.now()) is None:
                    self._hand_over(campaign, contact, composer)
                return
            except StaleContactError:
                contact = self.deps.contacts.get(contact.contact_id)
        raise Unavailable("sender:contention")

    def _hand_over(self, campaign: Campaign, contact: Contact, composer: Composer) -> None:
        answer = self.deps.mailer.send(composer.compose(campaign, contact))
        logger.info(
            "handed over",
            extra={
                "campaign_id": campaign.campaign_id,
                "contact_id": contact.contact_id,
                "fate": answer.fate,
                "reason": answer.reason,
            },
        )
        count(f"Mail_{answer.fate}")
        self._record(campaign, contact, answer)

    def _record(self, campaign: Campaign, contact: Contact, answer: Answer) -> None:
        outcome = _OUTCOME_OF.get(answer.fate)
        if outcome is None:
            self._look_again(self.deps.settings.settle_seconds)
            return
        if outcome is Outcome.RETRY:
            self._look_again(_RETRY_DELAY_SECONDS)
        self.deps.ledger.settle(
            campaign.campaign_id,
            contact.contact_id,
            outcome,
            reason=answer.reason,
            message_id=answer.message_id,
        )

    def _look_again(self, seconds: float) -> None:
        self.wait_seconds = min(max(self.wait_seconds, int(seconds), 1), _MAX_DELAY_SECONDS)


_OUTCOME_OF: Mapping[Fate, Outcome] = {
    Fate.ACCEPTED: Outcome.SENT,
    Fate.NOT_NOW: Outcome.RETRY,
    Fate.REFUSED: Outcome.REJECTED,
}
