"""Requests: what people asked for, and what becomes of it (manual R1).

What may follow what is ``cases``'. Staff decide; what then has to be done is set as the case's
task and done by the case worker. A change names the version that was looked at and is saved only
if nobody else made one meanwhile, so of two people acting at once one is told.
"""

from __future__ import annotations

import base64
import hashlib
import re
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.staff_api.context import Call, call_of
from functions.staff_api.request_schemas import (
    BY_STAFF,
    After,
    ChangeIn,
    Direction,
    FinishIn,
    KindIn,
    Limit,
    MailPath,
    NewAddressIn,
    OpenIn,
    RawMailOut,
    ReceivedOut,
    ReceivedPage,
    RefuseIn,
    RequestIn,
    RequestOut,
    RequestPath,
    RequestsPage,
    RequestState,
    TextIn,
    VerifyIn,
)
from functions.staff_api.schemas import RequestLineOut
from shared.adapters.cases import CaseMail
from shared.adapters.jobs import CaseJob
from shared.adapters.mailer import Fate
from shared.domain import cases, holds
from shared.domain.address import AddressError, parse_address
from shared.domain.calendar import BusinessCalendar, Terms, japan_date
from shared.domain.cases import Case, CaseKind, Task
from shared.domain.eligibility import judge
from shared.domain.errors import Conflict, FieldProblem, NotFound, Unavailable, Unprocessable
from shared.domain.events import Event, EventKind, Source, event_id
from shared.domain.inbound import Mailbox, ReceivedMail
from shared.domain.links import NOBODY
from shared.domain.teams import Team
from shared.inbox import read
from shared.mail.compose import Message
from shared.mail.replies import ReplyKind, reply
from shared.telemetry import logger
from shared.texts.consent import Language

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)
_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
# Places in the lists, as their stores give them.
_OPEN_PLACE = re.compile(r"\d{4}-\d\d-\d\d#[0-9a-f]{32}")
_CLOSED_PLACE = re.compile(_STAMP + r"#[0-9a-f]{32}")
_RECEIVED_PLACE = re.compile(r"[0-9a-f]{24,64}@" + _STAMP)
_RAW_LINK_SECONDS = 300
_RAW_BYTES = 12_000_000


# --- reading


@router.get("/requests", summary="Requests, the first due first", tags=["requests"])
def every(
    team: Annotated[Team | None, Query()] = None,
    state: Annotated[RequestState, Query()] = RequestState.OPEN,
    limit: Limit = 50,
    after: After = "",
) -> RequestsPage:
    """A page of the open ones of a team or of all; or of the closed ones, the newest first."""
    call = _call()
    store = call.deps.cases
    if state is RequestState.OPEN:
        page = store.queue(team=team, limit=limit, after=_place(after, _OPEN_PLACE))
    else:
        page = store.closed(limit=limit, after=_place(after, _CLOSED_PLACE))
    today = japan_date(call.request.at)
    own = call.deps.is_own_mailbox
    lines = (RequestLineOut.of(case, today, own_mailbox=own(case)) for case in page.cases)
    return RequestsPage(
        requests=[line for line in lines if team in {None, line.team}], next=_token(page.after)
    )


@router.get("/requests/<case_id>", summary="A request with everything about it", tags=["requests"])
def show(case_id: RequestPath) -> RequestOut:
    """Every step, every mail's words, and what comes next."""
    call = _call()
    return _said(call, "request viewed", call.deps.cases.get(case_id))


@router.get(
    "/requests/<case_id>/mails/<mail_id>/raw", summary="A mail of a request as it came",
    tags=["requests"],
)  # fmt: skip
def raw(case_id: RequestPath, mail_id: MailPath) -> RawMailOut:
    """A link for five minutes; 404 once the message's retention is over."""
    call = _call()
    call.deps.cases.get(case_id)
    if mail_id not in {mail.mail_id for mail in call.deps.cases.mails(case_id)}:
        raise NotFound("unknown_mail", "このメールは見つかりません。", "There is no such mail.")
    key = _object_of(call, mail_id)
    logger.info(
        "raw mail viewed",
        extra={"case_id": case_id, "mail_id": mail_id, "operator": call.operator},
    )
    return RawMailOut(
        url=call.deps.raw_mail.url(key, _RAW_LINK_SECONDS),
        expires_at=call.request.at + timedelta(seconds=_RAW_LINK_SECONDS),
    )


# --- opening


@router.post("/requests", summary="Take a request on the phone or in person", tags=["requests"])
def create(body: Annotated[RequestIn, Body()]) -> RequestOut:
    """The mailbox it is about is asked to confirm, unless answers go elsewhere.

    Where the person already has an open request of this kind, the words join that.
    """
    call = _call()
    about = call.deps.address(body.email)
    answer_to = about
    if body.answer_to is not None:
        answer_to = call.deps.address(body.answer_to, "answer_to")
    asked = answer_to.lookup == about.lookup and body.kind is not CaseKind.INQUIRY
    return _open(
        call,
        CaseMail(
            mail_id=event_id(call.request.request_id, "request"),
            received_at=call.request.at,
            words=body.words,
            by=call.operator,
        ),
        contact_id=call.deps.contact_id_of(body.email),
        kind=body.kind,
        language=body.language,
        reply_to=answer_to.used,
        task=Task.ASK_IDENTITY if asked else Task.NONE,
    )


@router.get("/received", summary="Mail that nobody answered, and why", tags=["requests"])
def unanswered(limit: Limit = 50, after: After = "") -> ReceivedPage:
    """The newest first: automatic answers, spam, mailing lists, what came from ourselves."""
    call = _call()
    page = call.deps.received.filtered(limit=limit, after=_place(after, _RECEIVED_PLACE))
    return ReceivedPage(
        mails=[ReceivedOut.of(line) for line in page.lines], next=_token(page.after)
    )


@router.post(
    "/received/<mail_id>/open", summary="Make a request of a mail that nobody answered",
    tags=["requests"],
)  # fmt: skip
def open_received(mail_id: MailPath, body: Annotated[OpenIn | None, Body()] = None) -> RequestOut:
    """Its words are read again from the message; 404 where that is gone, 409 if it has one."""
    call = _call()
    line = call.deps.received.get(mail_id)
    if line.case_id:
        raise Conflict(
            "already_opened",
            "このメールからの依頼はすでにあります。",
            "There already is a request made of this mail.",
        )
    content, complete = call.deps.raw_mail.read(_object_of(call, mail_id), _RAW_BYTES)
    mail = read(content, complete=complete)
    out = _open(
        call,
        CaseMail(
            mail_id=mail_id,
            received_at=line.received_at,
            words=mail.words,
            subject=mail.subject,
            attachments=mail.attachments,
            unread=mail.unread,
        ),
        contact_id=line.contact_id,
        kind=body.kind if body else CaseKind.INQUIRY,
        language=mail.language,
        reply_to=_sender(mail),
        mailbox=line.mailbox,
        subject=mail.subject,
        in_reply_to=mail.message_id,
    )
    call.deps.received.opened(line, out.case_id)
    return out


# --- deciding


@router.post(
    "/requests/<case_id>/kind", summary="It really is about something else", tags=["requests"]
)
def change_kind(case_id: RequestPath, body: Annotated[KindIn, Body()]) -> RequestOut:
    """The team follows, and the identity has to be confirmed for what it is now.

    What implies a stop holds the address from mailing.
    """
    call = _call()
    case = _seen(call, case_id, body)
    changed = cases.with_kind(
        case,
        body.kind,
        by=call.operator,
        why=BY_STAFF,
        own_mailbox=call.deps.is_own_mailbox(case),
        now=call.request.at,
    )
    if body.kind in cases.IMPLY_STOP and not changed.holds and changed.contact_id != NOBODY:
        changed = cases.held(changed, now=call.request.at, by=call.operator)
    saved = call.deps.cases.save(case, changed)
    _hold(call, saved)
    _have_done(call, saved)
    return _said(call, "request changed", saved)


@router.post(
    "/requests/<case_id>/ask-identity", summary="Have the link mailed, or mailed again",
    tags=["requests"],
)  # fmt: skip
def ask_identity(case_id: RequestPath, body: Annotated[ChangeIn, Body()]) -> RequestOut:
    """A new link is mailed; the one before it is void. 409 where answers go elsewhere.

    Once the person is verified it is the link that the request waits for then: to the file, or
    to the new address.
    """
    call = _call()
    case = _seen(call, case_id, body)
    changed = cases.ask_identity(case, by=call.operator, now=call.request.at)
    if changed.task is Task.ASK_IDENTITY:
        _require_own_mailbox(call, case)
    return _decided(call, "link asked for", case, changed)


@router.post(
    "/requests/<case_id>/verify", summary="Verify by hand; a second person has to agree",
    tags=["requests"],
)  # fmt: skip
def verify(case_id: RequestPath, body: Annotated[VerifyIn, Body()]) -> RequestOut:
    """For agents and people who lost their mailbox. The first call proposes, with the reason.

    Once the second agrees, an erasure or a stop of use ends all mail, whatever comes of it.
    """
    call = _call()
    case = _seen(call, case_id, body)
    changed = cases.by_hand(
        case,
        by=call.operator,
        reason=body.reason,
        now=call.request.at,
        erasure_runs_by_itself=call.deps.settings.erasure_runs_by_itself,
    )
    if changed.stop_is_certain:
        _unsubscribe(call, case)
    return _decided(call, "verified by hand", case, changed)


@router.post("/requests/<case_id>/approve", summary="Approve an erasure", tags=["requests"])
def approve(case_id: RequestPath, body: Annotated[ChangeIn, Body()]) -> RequestOut:
    """By IT, once the identity is certain. It cannot be taken back."""
    call = _call()
    case = _seen(call, case_id, body)
    changed = cases.approved(case, by=call.operator, now=call.request.at)
    return _decided(call, "erasure approved", case, changed)


@router.post("/requests/<case_id>/new-address", summary="The address to move to", tags=["requests"])
def new_address(case_id: RequestPath, body: Annotated[NewAddressIn, Body()]) -> RequestOut:
    """For a correction. The new address is asked to confirm before anything moves."""
    call = _call()
    case = _seen(call, case_id, body)
    address = call.deps.address(body.email)
    if call.deps.contact_id_of(body.email) == case.contact_id:
        raise Conflict(
            "same_address",
            "新しいアドレスが、今のアドレスと同じです。",
            "The new address is the present one.",
        )
    changed = cases.new_address(case, address.used, by=call.operator, now=call.request.at)
    return _decided(call, "new address given", case, changed)


@router.post("/requests/<case_id>/refuse", summary="Refuse a request", tags=["requests"])
def refuse(case_id: RequestPath, body: Annotated[RefuseIn, Body()]) -> RequestOut:
    """The person is told the reason. A stop that was certain is honoured all the same."""
    call = _call()
    case = _seen(call, case_id, body)
    changed = cases.refused(case, by=call.operator, reason=body.reason, now=call.request.at)
    if case.stop_is_certain:
        _unsubscribe(call, case)
    return _decided(call, "request refused", case, changed)


@router.post("/requests/<case_id>/finish", summary="It is dealt with", tags=["requests"])
def finish(case_id: RequestPath, body: Annotated[FinishIn, Body()]) -> RequestOut:
    """Where mailing was held because a mail might mean "stop", ``unsubscribe`` decides it."""
    call = _call()
    case = _seen(call, case_id, body)
    if case.holds and body.unsubscribe is None:
        raise Unprocessable(
            {
                "unsubscribe": FieldProblem(
                    "undecided",
                    "配信を保留しています。配信停止のご希望かどうかを選んでください。",
                    "Mailing is on hold: say whether the person wants no more mail.",
                )
            }
        )
    code = {None: "answered", True: "unsubscribed", False: "goes_on"}[body.unsubscribe]
    changed = cases.finished(case, by=call.operator, note_code=code, now=call.request.at)
    if body.unsubscribe:
        _unsubscribe(call, case)
    return _decided(call, "request finished", case, changed)


# --- words of staff


@router.post("/requests/<case_id>/reply", summary="Write to the person", tags=["requests"])
def answer(case_id: RequestPath, body: Annotated[TextIn, Body()]) -> RequestOut:
    """Sent at once, to the address that the request is answered to.

    That it is answered is saved first, with the words, so that of two people answering at once
    only one mail is sent, and an erasure meanwhile finds the words. Where SES did not take it,
    that is taken back.
    """
    call = _call()
    case = _seen(call, case_id, body)
    message = _message(call, case, body.text)
    words = _written(call, Direction.OUT, body.text, subject=message.subject)
    replied = cases.replied(case, by=call.operator, now=call.request.at)
    saved = call.deps.cases.save(case, replied, words)
    sent = call.deps.mailer.send(message)
    logger.info(
        "staff reply",
        extra={"case_id": case_id, "fate": sent.fate, "reason": sent.reason},
    )
    if sent.fate not in {Fate.ACCEPTED, Fate.UNKNOWN}:
        _take_back(call, saved, case, words)
    if sent.fate is Fate.REFUSED:
        raise Conflict(
            "reply_refused",
            f"メールの送信サービスが返信を受け付けませんでした({sent.reason})。",
            f"SES refused the answer ({sent.reason}).",
        )
    if sent.fate not in {Fate.ACCEPTED, Fate.UNKNOWN}:
        raise Unavailable(f"ses:{sent.reason}")
    if sent.fate is Fate.UNKNOWN:
        raise Conflict(
            "reply_uncertain",
            "返信が送信されたかどうか確認できませんでした。二重に送らないよう、"
            "ご本人からの連絡を待つか、電話などで確認してください。",
            "Whether the answer was sent is not known. Please make sure before sending it again.",
        )
    return _said(call, "request answered", saved)


@router.post("/requests/<case_id>/note", summary="Note something for colleagues", tags=["requests"])
def note(case_id: RequestPath, body: Annotated[TextIn, Body()]) -> RequestOut:
    """Nobody but staff sees it; it goes with the person's words when they are erased."""
    call = _call()
    case = _seen(call, case_id, body)
    erased = not case.is_open and not case.reply_to and case.contact_id != NOBODY
    if erased or case.task is Task.ERASE:
        # What staff write now would outlive the erasure.
        raise Conflict(
            "erased",
            "ご本人の情報を削除した、または削除している依頼には、メモを書けません。",
            "The person was or is being erased: nothing can be noted here any more.",
        )
    changed = cases.noted(case, by=call.operator, now=call.request.at)
    saved = call.deps.cases.save(case, changed, _written(call, Direction.NOTE, body.text))
    return _said(call, "request noted", saved)


# --- reading and saving


def _seen(call: Call, case_id: str, change: ChangeIn) -> Case:
    """The request, if it still is the one that the member of staff has looked at."""
    case = call.deps.cases.get(case_id)
    if case.version != change.version:
        raise Conflict(
            "changed_meanwhile",
            "ほかの担当者、またはご本人の操作で、この依頼の内容が変わりました。"
            "内容を確認して、もう一度お試しください。",
            "Somebody else, or the person, changed this request meanwhile. Please look again.",
        )
    return case


def _decided(call: Call, what: str, read: Case, changed: Case) -> RequestOut:
    """Save, and have the worker do what the case owes now."""
    saved = call.deps.cases.save(read, changed)
    _have_done(call, saved)
    return _said(call, what, saved)


def _have_done(call: Call, case: Case) -> None:
    """The worker also takes away the hold of a request that is closed."""
    if case.task is not Task.NONE or (case.holds and not case.is_open):
        _tell_the_worker(call, case)


def _tell_the_worker(call: Call, case: Case) -> None:
    try:
        call.deps.case_jobs.put([CaseJob(case.case_id)])
    except Unavailable as error:
        # What was decided is saved: the hourly sweep takes it up.
        logger.warning("case left over", extra={"case_id": case.case_id, "code": error.code})


def _said(call: Call, what: str, case: Case) -> RequestOut:
    logger.info(
        what,
        extra={
            "case_id": case.case_id,
            "contact_id": case.contact_id,
            "operator": call.operator,
        },
    )
    verdict, known = None, False
    if case.contact_id != NOBODY:
        contact = call.deps.contacts.get(case.contact_id)
        verdict = judge(contact, call.deps.settings.eligibility_profile)
        known = contact.version > 0
    return RequestOut.full(
        case,
        call.deps.cases.mails(case.case_id),
        verdict,
        today=japan_date(call.request.at),
        own_mailbox=call.deps.is_own_mailbox(case),
        contact_known=known,
    )


def _open(
    call: Call,
    mail: CaseMail,
    *,
    contact_id: str,
    kind: CaseKind,
    language: Language,
    reply_to: str,
    mailbox: Mailbox | None = None,
    subject: str = "",
    in_reply_to: str = "",
    task: Task = Task.NONE,
) -> RequestOut:
    """A new request, or more words of the open one of this person and kind; and its hold."""
    settings, now = call.deps.settings, call.request.at
    holds_address = kind in cases.IMPLY_STOP and contact_id != NOBODY
    case = call.deps.cases.create(
        cases.opened(
            case_id=hashlib.sha256(f"case\x1f{mail.mail_id}".encode()).hexdigest()[:32],
            kind=kind,
            contact_id=contact_id,
            language=language,
            mailbox=mailbox,
            now=now,
            calendar=BusinessCalendar(settings.days_off),
            terms=Terms(settings.case_business_days),
            region=call.deps.contacts.get(contact_id).region,
            reason=BY_STAFF,
            confidence=100,
            task=task,
            holds=holds_address,
            reply_to=reply_to,
            subject=subject,
            in_reply_to=in_reply_to,
            by=call.operator,
        ),
        mail,
    )
    if holds_address and not case.holds:
        case = call.deps.cases.save(case, cases.held(case, now=now, by=call.operator))
    _hold(call, case)
    _have_done(call, case)
    return _said(call, "request opened", case)


def _hold(call: Call, case: Case) -> None:
    """Keep the address from mailing for as long as the request holds it.

    Who closed it meanwhile may have seen no hold: the worker takes it away.
    """
    if not (case.holds and case.is_open):
        return
    call.deps.contacts.record(
        holds.held(case.contact_id, case.case_id, call.request.at, Source.STAFF)
    )
    if not call.deps.cases.get(case.case_id).is_open:
        _tell_the_worker(call, case)


def _unsubscribe(call: Call, case: Case) -> None:
    """Before the case is saved: of two decisions at the same moment, the stop is honoured."""
    if case.contact_id == NOBODY:
        raise Conflict(
            "nobody",
            "差出人のアドレスが分からないため、配信停止にできません。",
            "Nobody knows who wrote, so nobody can be unsubscribed.",
        )
    for contact_id in case.whom:
        call.deps.contacts.record(
            Event(
                contact_id=contact_id,
                event_id=event_id(case.case_id, EventKind.UNSUBSCRIBED),
                kind=EventKind.UNSUBSCRIBED,
                at=call.request.at,
                source=Source.STAFF,
                details={"operator": call.operator, "case_id": case.case_id},
            )
        )


def _require_own_mailbox(call: Call, case: Case) -> None:
    """A link that confirms an identity goes to the address it is about and nowhere else."""
    if not call.deps.is_own_mailbox(case):
        raise Conflict(
            "not_their_mailbox",
            "回答先がご本人のアドレスではないため、リンクでは確認できません。"
            "担当者2人でご本人を確認してください。",
            "Answers go to another address, so a link proves nothing. Two members of staff have "
            "to verify.",
        )


# --- mail


def _sender(mail: ReceivedMail) -> str:
    """Whom to answer; nobody where that is no address."""
    try:
        return parse_address(mail.sender).used
    except AddressError:
        return ""


def _object_of(call: Call, mail_id: str) -> str:
    """The object that still holds a mail.

    Raises:
        NotFound: no such mail, or it is past its retention, or it was erased.
    """
    line = call.deps.received.get(mail_id)
    for key in () if line.erased else sorted(line.object_keys):
        try:
            call.deps.raw_mail.read(key, 1)
        except NotFound:
            continue
        return key
    raise NotFound(
        "raw_mail_gone",
        "メールの原本は保存期間を過ぎたか、削除されています。",
        "The original message is past its retention or was erased.",
    )


def _message(call: Call, case: Case, text: str) -> Message:
    if not case.reply_to:
        raise Conflict(
            "no_address",
            "この依頼には返信できるアドレスがありません。",
            "There is no address to answer to.",
        )
    settings = call.deps.settings
    return reply(
        ReplyKind.STAFF,
        to=case.reply_to,
        language=case.language,
        company=settings.company,
        mail_domain=settings.mail_domain,
        public_url=settings.public_url,
        case_id=case.case_id,
        in_reply_to=case.in_reply_to,
        text=text,
    )


def _written(call: Call, direction: Direction, text: str, *, subject: str = "") -> CaseMail:
    return CaseMail(
        mail_id=event_id(call.request.request_id, direction),
        received_at=call.request.at,
        words=text,
        subject=subject,
        direction=direction,
        by=call.operator,
    )


def _take_back(call: Call, saved: Case, before: Case, words: CaseMail) -> None:
    """Nothing was sent after all, so nothing was answered."""
    try:
        call.deps.cases.take_back(saved.case_id, words)
        call.deps.cases.save(saved, before)
    except (Conflict, Unavailable) as error:
        logger.warning("step left over", extra={"case_id": saved.case_id, "code": error.code})


# --- places in lists


def _token(place: str) -> str:
    """A place in a list as callers get it: to be handed back, not read."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(token: str, known: re.Pattern[str]) -> str:
    """Inverse of ``_token``.

    Raises:
        Unprocessable: it is none of this list.
    """
    place = ""
    with suppress(ValueError):  # no base64, or no text
        place = base64.b64decode(f"{token}==", altchars=b"-_").decode()
    if token and not known.fullmatch(place):
        problem = FieldProblem(
            "unknown_place", "一覧の続きの位置が正しくありません。", "There is no such place."
        )
        raise Unprocessable({"after": problem})
    return place
