"""Sends a campaign, one shard of the mailing list per job, in batches of fifty (manual U1, U2).

For each batch: wait for the account's pace, see (once a second) that the campaign still is
sending, claim its recipients in one transaction that holds each to what was judged, hand them
to SES in one call, record the answers in one write. A crash or a lost answer leaves claims
without an outcome; SES's own send events (``ses_feedback``) settle them, and only those of which
none came for ``settle_seconds`` are sent again. So nobody is lost and nobody gets it twice.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

from functions.queue import worked_through
from shared.adapters import aws
from shared.adapters.campaigns import CampaignStore
from shared.adapters.contacts import SHARDS, ContactStore
from shared.adapters.jobs import Job, JobQueue
from shared.adapters.ledger import BATCH, Candidate, Ledger, Refused, Result, Skip
from shared.adapters.mailer import Answer, Fate, Mailer
from shared.adapters.pace import Pace
from shared.adapters.secrets import Secrets
from shared.domain import lifecycle
from shared.domain.audience import EVERYONE, matches, variables_of
from shared.domain.campaigns import (
    SES_FAILED,
    Campaign,
    CampaignStatus,
    Entry,
    Outcome,
    PauseReason,
    Step,
    next_step,
)
from shared.domain.contact import Contact
from shared.domain.eligibility import judge
from shared.domain.errors import Conflict, TooMany, Unavailable
from shared.mail.compose import Composer, Recipient
from shared.mail.content import Content
from shared.settings import CampaignSenderSettings, load
from shared.telemetry import count, logger

_PAGE = 250
_SKIPS = 100
_STOP_BEFORE_MS = 30_000  # leaves time to finish the batch in hand and queue the rest
_MAX_DELAY_SECONDS = 900  # SQS
_RETRY_SECONDS = 10
_LOOK_EVERY = timedelta(seconds=1)
_TRIES = 6
_FAILURES = 8  # of SES at one recipient; where it fails at all, over more than twenty minutes
_FEW = 4  # refused together may be a coincidence
_FIRST_WAIT_SECONDS = 0.05


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: CampaignSenderSettings
    contacts: ContactStore
    campaigns: CampaignStore
    ledger: Ledger
    jobs: JobQueue
    mailer: Mailer
    pace: Pace
    secrets: Secrets
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep


@cache
def _deps() -> Deps:
    settings = load(CampaignSenderSettings, os.environ)
    dynamodb = aws.dynamodb()

    def now() -> datetime:
        return datetime.now(UTC)

    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, ""),
        CampaignStore(dynamodb, settings.campaigns_table),
        Ledger(dynamodb, settings.ledger_table, settings.contacts_table),
        JobQueue(aws.sqs(), settings.campaign_queue_url),
        Mailer(aws.sesv2(), settings.configuration_set),
        Pace(dynamodb, settings.throttle_table, now),
        Secrets(aws.secretsmanager()),
        now,
    )


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: Any, deps: Deps | None = None
) -> PartialItemFailureResponse:
    """Work through queue messages; one that fails is delivered again, then dead-lettered."""
    ready = deps or _deps()

    def work(body: str) -> None:
        _work(ready, Job.parse(body), context.get_remaining_time_in_millis)

    return worked_through(event, context, work)


def _work(deps: Deps, job: Job, remaining_ms: Callable[[], int]) -> None:
    campaign = deps.campaigns.get(job.campaign_id)
    if not job.shard:
        _begin(deps, campaign)
    elif campaign.status is CampaignStatus.SENDING:
        _Shard(deps, job, campaign, remaining_ms).send()
    else:
        logger.warning("not sending", extra={"campaign_id": campaign.campaign_id})


def _begin(deps: Deps, campaign: Campaign) -> None:
    """The moment a campaign was scheduled for. One that no longer waits for it is left alone."""
    if campaign.status is CampaignStatus.SENDING:
        # Perhaps we died before the jobs were queued; the ones that work already do no harm.
        shards: Sequence[str] = deps.campaigns.left(campaign.campaign_id)
    elif lifecycle.is_due(campaign, now=deps.now()):
        started = lifecycle.started(campaign, now=deps.now())
        try:
            deps.campaigns.save(campaign, started, open_shards=SHARDS)
        except Conflict:
            logger.warning("changed meanwhile", extra={"campaign_id": campaign.campaign_id})
            return
        shards = SHARDS
    else:
        logger.warning("not due", extra={"campaign_id": campaign.campaign_id})
        return
    deps.jobs.put([Job(campaign.campaign_id, shard) for shard in shards])
    logger.info("campaign started", extra={"campaign_id": campaign.campaign_id})


class _Stop(Exception):
    """This job ends here. ``delay``: the rest goes back to the queue; None: it does not."""

    def __init__(self, delay: int | None) -> None:
        super().__init__(delay)
        self.delay = delay


@dataclass
class _Shard:
    """One job at work."""

    deps: Deps
    job: Job
    campaign: Campaign
    remaining_ms: Callable[[], int]
    after: str = field(init=False)
    settling: bool = field(init=False)
    looked_at: datetime = field(init=False)  # when the campaign was seen sending
    accepted: bool = False
    wait_seconds: int = 0  # > 0: someone is undecided, look again after that
    skips: list[Skip] = field(default_factory=list)
    capped_by: Sequence[str] = ()  # campaigns that count for the frequency cap

    def __post_init__(self) -> None:
        self.after, self.settling = self.job.after, self.job.settling
        self.looked_at = self.deps.now() - _LOOK_EVERY

    def send(self) -> None:
        """Everyone of the shard, or as far as time and SES allow."""
        try:
            self._prepare()
            if not self.settling:
                self._send_to_listed()
            self.settling = True
            self._send_to_open()
        except _Stop as stop:
            if stop.delay is not None:
                self._flush_skips()
                self._again(stop.delay)
            return
        if self.wait_seconds:
            self._again(self.wait_seconds)
        else:
            self.deps.campaigns.close_shard(self.campaign.campaign_id, self.job.shard)

    def _again(self, delay: int) -> None:
        tries = 0 if self.accepted else self.job.tries + 1
        job = replace(self.job, after=self.after, settling=self.settling, tries=tries)
        self.deps.jobs.put([job], delay_seconds=min(delay, _MAX_DELAY_SECONDS))

    def _prepare(self) -> None:
        settings = self.deps.settings
        self.composer = Composer(
            settings.company,
            settings.mail_domain,
            settings.public_url,
            self.deps.secrets.link_keys(settings.link_keys_secret),
        )
        self.template = self.composer.template(Content.of(self.campaign))
        quota = self.deps.mailer.quota()
        if not quota.enabled:
            self._pause("sending is disabled")
        self.deps.pace.begin(quota)
        self.batch_size = min(BATCH, self.deps.pace.batch)
        if settings.frequency_cap_campaigns:
            since = self._capped_since()
            self.capped_by = [
                other.campaign_id
                for other in self.deps.campaigns.all()
                if other.campaign_id != self.campaign.campaign_id
                and other.started_at is not None
                # It may have gone on sending for days.
                and other.started_at >= since - timedelta(days=settings.frequency_cap_days)
            ]

    # --- whom

    def _send_to_listed(self) -> None:
        """Everyone listed who has no ledger line yet."""
        waiting: list[Candidate] = []
        for contact in self._meant():
            if reason := self._reason_against(contact):
                self._skip(Skip(contact.contact_id, reason))
                continue
            waiting.append(Candidate(contact))
            if len(waiting) >= self.batch_size:
                waiting = self._batch(waiting)
        while waiting:
            waiting = self._batch(waiting)
        self._flush_skips()

    def _meant(self) -> Iterator[Contact]:
        """Listed contacts of the audience whom the ledger does not know, by id."""
        audience, campaign_id = self.campaign.audience, self.campaign.campaign_id
        known = _Merge(self._lines_of(campaign_id))
        sent = [
            (name, _Merge(self._lines_of(name), {Outcome.SENT}))
            for name in sorted({audience.received, audience.not_received} - {""})
        ]
        after = self.after
        while True:
            page = self.deps.contacts.listed(self.job.shard, limit=_PAGE, after=after)
            for contact in page.contacts:
                received = [name for name, merge in sent if merge.has(contact.contact_id)]
                if known.has(contact.contact_id):
                    continue
                if audience == EVERYONE or matches(contact, audience, received):
                    yield contact
            if not page.after:
                return
            after = page.after

    def _lines_of(self, campaign_id: str) -> Iterator[Entry]:
        return self.deps.ledger.recipients(campaign_id, self.job.shard, after=self.after)

    def _reason_against(self, contact: Contact) -> str:
        verdict = judge(contact, self.deps.settings.eligibility_profile)
        return "" if verdict.eligible else verdict.reason

    def _send_to_open(self) -> None:
        """Ledger lines without an outcome: wait for SES's word, or send after all."""
        settle = timedelta(seconds=self.deps.settings.settle_seconds)
        due: list[Entry] = []
        for entry in self.deps.ledger.open_entries(self.campaign.campaign_id, self.job.shard):
            now = self.deps.now()
            step = next_step(entry, now, settle)
            if step is Step.SEND:
                due.append(entry)
                if len(due) >= self.batch_size:
                    self._send_again(due)
                    due = []
            elif step is Step.WAIT:
                self._look_again((entry.at + settle - now).total_seconds() + 1)
        self._send_again(due)
        self._flush_skips()

    def _send_again(self, due: Sequence[Entry]) -> None:
        contacts = self.deps.contacts.get_many([entry.contact_id for entry in due])
        waiting: list[Candidate] = []
        for entry in due:
            contact = contacts[entry.contact_id]
            if reason := self._reason_against(contact):
                self._skip(Skip(entry.contact_id, reason, entry))
            else:
                waiting.append(Candidate(contact, entry))
        while waiting:
            waiting = self._batch(waiting)

    # --- one batch

    def _batch(self, waiting: list[Candidate]) -> list[Candidate]:
        """Send to the first of those who wait; the others are returned."""
        if self.remaining_ms() < _STOP_BEFORE_MS:
            raise _Stop(0)
        try:
            grant = self.deps.pace.take(min(len(waiting), self.batch_size))
        except TooMany as limit:
            self.accepted = True  # nobody was put off by SES
            raise _Stop(limit.retry_after) from None
        if grant.wait:
            self.deps.sleep(grant.wait)
        chosen, rest = waiting[: grant.mails], waiting[grant.mails :]
        self._see_that_it_is_sending()
        batch = f"{self.job.shard}{uuid.uuid4().hex[:16]}"
        claimed = self._claim(batch, self._under_cap(chosen))
        if not self.settling:
            self.after = chosen[-1].contact.contact_id
        if claimed:
            self._hand_over(batch, claimed)
        return rest

    def _see_that_it_is_sending(self) -> None:
        """Paused and cancelled campaigns stop within a second, and the batch in hand."""
        if self.deps.now() - self.looked_at < _LOOK_EVERY:
            return
        self.looked_at = self.deps.now()
        now = self.deps.campaigns.get(self.campaign.campaign_id)
        if now.status is not CampaignStatus.SENDING:
            logger.info("no longer sending", extra={"campaign_id": now.campaign_id})
            raise _Stop(None)

    def _claim(self, batch: str, candidates: list[Candidate]) -> list[Candidate]:
        """Those who are ours now. The others have a line, or get one that says why not."""
        for attempt in range(_TRIES):
            if not candidates:
                return []
            refused = self.deps.ledger.claim(
                self.campaign.campaign_id, batch, candidates, self.deps.now()
            )
            if refused is None:
                return candidates
            if not refused.taken and not refused.changed:
                self.deps.sleep(_FIRST_WAIT_SECONDS * 2**attempt)
            candidates = list(self._still_wanted(candidates, refused))
        raise Unavailable("sender:contention")

    def _still_wanted(
        self, candidates: Iterable[Candidate], refused: Refused
    ) -> Iterator[Candidate]:
        for candidate in candidates:
            contact_id = candidate.contact.contact_id
            if contact_id in refused.taken:
                if candidate.held is not None:
                    self._look_again(_RETRY_SECONDS)  # by whom, and how does that end?
                continue
            if contact_id not in refused.changed:
                yield candidate
                continue
            contact = refused.changed[contact_id] or self.deps.contacts.get(contact_id)
            if reason := self._reason_against(contact):
                self._skip(Skip(contact_id, reason, candidate.held))
            else:
                yield Candidate(contact, candidate.held)

    def _under_cap(self, candidates: list[Candidate]) -> list[Candidate]:
        """Without those who were sent enough lately (optional)."""
        limit = self.deps.settings.frequency_cap_campaigns
        if not limit or not self.capped_by:
            return candidates
        ids = [candidate.contact.contact_id for candidate in candidates]
        received = self.deps.ledger.received(self.capped_by, ids, self._capped_since())
        for candidate in candidates:
            if received[candidate.contact.contact_id] >= limit:
                skip = Skip(candidate.contact.contact_id, "frequency_cap", candidate.held)
                self._skip(skip)
        return [c for c in candidates if received[c.contact.contact_id] < limit]

    def _capped_since(self) -> datetime:
        return self.deps.now() - timedelta(days=self.deps.settings.frequency_cap_days)

    def _hand_over(self, batch: str, claimed: Sequence[Candidate]) -> None:
        recipients = [
            self._recipient(candidate.contact, f"{batch}.{number}")
            for number, candidate in enumerate(claimed)
        ]
        answers = _blamed(
            self.deps.mailer.send_bulk(
                self.composer.sender, self.composer.reply_to, self.template, recipients
            ),
            claimed,
        )
        self.deps.ledger.record(
            self.campaign.campaign_id,
            batch,
            [
                _result(answer, candidate)
                for answer, candidate in zip(answers, claimed, strict=True)
            ],
            self.deps.now(),
        )
        self._weigh(answers, batch)

    def _recipient(self, contact: Contact, slot: str) -> Recipient:
        recipient = self.composer.recipient(contact, self.campaign, variables_of(contact))
        return replace(recipient, tags={**recipient.tags, "batch": slot})

    def _weigh(self, answers: Sequence[Answer], batch: str) -> None:
        """Go on, slow down, or stop for everybody."""
        fates = Counter(answer.fate for answer in answers)
        logger.info(
            "handed over",
            extra={
                "campaign_id": self.campaign.campaign_id,
                "batch": batch,
                "fates": fates,
                "reasons": sorted({answer.reason for answer in answers} - {""}),
            },
        )
        for fate, number in fates.items():
            count(f"Mail_{fate}", number)
        self.accepted = self.accepted or fates[Fate.ACCEPTED] > 0
        if self.settling and fates[Fate.UNKNOWN]:
            self._look_again(self.deps.settings.settle_seconds + 1)
        if fates[Fate.ACCOUNT]:
            self._pause(next(a.reason for a in answers if a.fate is Fate.ACCOUNT))
        if fates[Fate.QUOTA]:
            raise _Stop(_MAX_DELAY_SECONDS)
        if fates[Fate.NOT_NOW] or fates[Fate.FAILED] or fates[Fate.UNKNOWN] == len(answers):
            raise _Stop(_RETRY_SECONDS * 2 ** min(0 if self.accepted else self.job.tries, 7))

    def _pause(self, why: str) -> None:
        """SES refuses everybody: nobody is asked again until a person has looked at it."""
        logger.error("paused", extra={"campaign_id": self.campaign.campaign_id, "reason": why})
        now = self.deps.campaigns.get(self.campaign.campaign_id)
        try:
            self.deps.campaigns.save(now, lifecycle.paused(now, PauseReason.ACCOUNT))
        except Conflict as error:
            # Another sender did, or somebody cancelled it. If neither, the next batch will tell.
            logger.info("not paused", extra={"code": error.code})
        raise _Stop(None if now.status is not CampaignStatus.SENDING else _RETRY_SECONDS)

    # --- those who get nothing

    def _skip(self, skip: Skip) -> None:
        self.skips.append(skip)
        if len(self.skips) >= _SKIPS:
            self._flush_skips()

    def _flush_skips(self) -> None:
        skips, self.skips = self.skips, []
        self.deps.ledger.skip(self.campaign.campaign_id, skips, self.deps.now())

    def _look_again(self, seconds: float) -> None:
        self.wait_seconds = min(max(self.wait_seconds, int(seconds), 1), _MAX_DELAY_SECONDS)


class _Merge:
    """Answers, for ids that only grow, whether ledger lines (which come by id) have one."""

    def __init__(
        self,
        lines: Iterator[Entry],
        outcomes: frozenset[Outcome] | set[Outcome] = frozenset(Outcome),
    ) -> None:
        self._ids = (entry.contact_id for entry in lines if entry.outcome in outcomes)
        self._at: str | None = ""

    def has(self, contact_id: str) -> bool:
        while self._at is not None and self._at < contact_id:
            self._at = next(self._ids, None)
        return self._at == contact_id


def _blamed(answers: Sequence[Answer], claimed: Sequence[Candidate]) -> Sequence[Answer]:
    """Where SES refuses everybody in a batch, the fault is not a recipient's: nobody is refused.

    Unless they are few, that has paused the campaign before, and somebody has resumed it: then
    it is theirs, or the campaign could never end.
    """
    if len(answers) == 1 or any(answer.fate is not Fate.REFUSED for answer in answers):
        return answers
    again = all(
        candidate.held is not None
        and (candidate.held.outcome, candidate.held.reason) == (Outcome.RETRY, answer.reason)
        for answer, candidate in zip(answers, claimed, strict=True)
    )
    if again and len(answers) <= _FEW:
        return answers
    return [Answer(Fate.ACCOUNT, reason=answer.reason) for answer in answers]


def _result(answer: Answer, candidate: Candidate) -> Result:
    """What is recorded. Whom SES fails at again and again is given up, and waits for no one."""
    if answer.fate is not Fate.FAILED:
        return Result(_OUTCOME_OF[answer.fate], answer.message_id, answer.reason)
    before = candidate.held.failed_before if candidate.held else 0
    outcome = Outcome.RETRY if before + 1 < _FAILURES else Outcome.REJECTED
    return Result(outcome, reason=SES_FAILED)


_OUTCOME_OF: Mapping[Fate, Outcome] = {
    Fate.ACCEPTED: Outcome.SENT,
    Fate.NOT_NOW: Outcome.RETRY,
    Fate.QUOTA: Outcome.RETRY,
    Fate.ACCOUNT: Outcome.RETRY,
    Fate.REFUSED: Outcome.REJECTED,
    Fate.UNKNOWN: Outcome.CLAIMED,
}
