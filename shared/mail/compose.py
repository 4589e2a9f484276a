"""A campaign as mail: a template once, then little more than a signature per recipient.

The footer carries what 特定電子メール法 4条 and the manual (U2) want, in both parts as text:
who sends, the postal address, where complaints go, the manual's unsubscribe wording right
above the link, and the reply address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from shared.domain.campaigns import Campaign
from shared.domain.company import Company
from shared.domain.contact import Contact
from shared.domain.errors import FieldProblem, Unprocessable
from shared.domain.links import Link, LinkKeys, sign
from shared.mail import markdown, rendering, variables
from shared.mail.content import Content
from shared.mail.template import LINK, Place, Template, in_html, in_text, marked, places_in
from shared.texts import consent
from shared.texts.consent import TextId

NO_VALUES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one recipient. ``tags`` come back in every event SES sends about it."""

    sender: str
    reply_to: str
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a bulk call says about one recipient: ``data`` fills the campaign's template."""

    to: str
    data: Mapping[str, str]
    headers: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Composer:
    """What every mail has in common: who sends, from where, and how links are signed."""

    company: Company
    mail_domain: str
    public_url: str
    keys: LinkKeys

    @property
    def sender(self) -> str:
        """From: the company's name, and an address of the mail domain."""
        return rendering.mailbox(self.company.name, f"news@{self.mail_domain}")

    @property
    def reply_to(self) -> str:
        """Reply-To: where a reply that says stop is read."""
        return f"reply@{self.mail_domain}"

    def template(self, content: Content) -> Template:
        """What all recipients' copies of ``content`` have in common; made once, then kept.

        Raises:
            Unprocessable: an unknown variable, braces that do not match, a variable in a link.
        """
        return _template(content, self.company, self.reply_to, self.public_url)

    def recipient(
        self, contact: Contact, campaign: Campaign, values: Mapping[str, str] = NO_VALUES
    ) -> Recipient:
        """What differs for ``contact``, whose address must be held."""
        token = sign(Link(contact.contact_id, campaign.campaign_id), self.keys)
        return Recipient(
            to=contact.address,
            data=self.template(Content.of(campaign)).data(token, values),
            headers={
                # RFC 2369, RFC 8058: one https link, one mailto, and the one-click marker.
                "List-Unsubscribe": (
                    f"<{self.public_url}/u/{token}>, <mailto:stop+{token}@{self.mail_domain}>"
                ),
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                "Feedback-ID": _feedback_id(campaign.campaign_id, self.mail_domain),
            },
            tags={"campaign": campaign.campaign_id, "contact": contact.contact_id},
        )

    def compose(
        self, campaign: Campaign, contact: Contact, values: Mapping[str, str] = NO_VALUES
    ) -> Message:
        """The whole copy for ``contact``: what SES makes of the template and the same data."""
        recipient = self.recipient(contact, campaign, values)
        subject, text, html = self.template(Content.of(campaign)).fill(recipient.data)
        return Message(
            sender=self.sender,
            reply_to=self.reply_to,
            to=recipient.to,
            subject=subject,
            text=text,
            html=html,
            headers=recipient.headers,
            tags=recipient.tags,
        )


def _feedback_id(campaign_id: str, mail_domain: str) -> str:
    """Gmail's feedback loop: campaign, kind of mail, product, and one sender id for all mail.

    At most four fields; complaints are counted by each field. The last must never change and
    has 5 to 15 characters.
    """
    return f"{campaign_id}:campaign:optin:{hashlib.sha256(mail_domain.encode()).hexdigest()[:12]}"


# ---- the template ----


class _Marks:
    """Words that stand for places while the parts are made.

    Letters and digits only, so that nothing on the way takes them for markup; made of the
    content's own hash, so that the content cannot contain them.
    """

    def __init__(self, content: Content) -> None:
        written = repr(content).encode("utf-8", "backslashreplace")
        self.seed = hashlib.sha256(written).hexdigest()[:24]
        self._places: dict[tuple[str, str], tuple[Place, str]] = {}
        self._text: dict[str, str] = {}
        self._html: dict[str, str] = {}
        self.link = self._new(LINK, LINK)

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(place for place, _ in self._places.values())

    def of(self, use: variables.Use) -> str:
        """The mark of a variable with this default; the same for the same."""
        wanted = (use.name, use.default or "")
        if wanted not in self._places:
            number = 1 + sum(name == use.name for name, _ in self._places)
            place = Place(f"v_{use.name}" + (f"_{number}" if number > 1 else ""), *wanted)
            self._places[wanted] = place, self._new(place.key, place.html_key)
        return self._places[wanted][1]

    def _new(self, key: str, html_key: str) -> str:
        mark = f"q{self.seed}n{len(self._text)}q"
        self._text[mark], self._html[mark] = key, html_key
        return mark

    def text(self, written: str) -> str:
        """With places instead of marks, and nothing else that Handlebars would read."""
        return marked(in_text(written), self._text)

    def html(self, written: str) -> str:
        return marked(in_html(written), self._html)


# A sender works on one campaign at a time; a console shows a few.
@lru_cache(maxsize=8)
def _template(content: Content, company: Company, reply_to: str, public_url: str) -> Template:
    marks = _Marks(content)
    problems: dict[str, FieldProblem] = {}
    subject = variables.lines(content.subject).replace("\n", " ").replace("\t", " ").strip()
    subject = variables.replace(subject, "subject", marks.of, problems)
    body = markdown.convert(
        variables.replace(variables.lines(content.body), "body", marks.of, problems)
    )
    text = variables.replace(variables.lines(content.text), "text", marks.of, problems).strip()
    linked = [*(a.target for a in body.links), *(i.source for i in body.images), *body.refused]
    if any(marks.seed in target for target in linked):
        problems.setdefault("body", _IN_LINK)
    if problems:
        raise Unprocessable(problems)
    notice = consent.current(TextId.UNSUBSCRIBE_NOTICE)
    common: dict[str, Any] = {
        "subject": subject,
        "company": company,
        "contact_link": company.contact if company.contact.startswith("https://") else "",
        "link": f"{public_url}/u/{marks.link}",
        "reply_to": reply_to,
        "notice_ja": notice.ja,
        "notice_en": notice.en,
    }
    html = rendering.page("campaign.html").render(
        body=Markup(body.html.strip()),  # noqa: S704
        **common,
    )
    made = (
        marks.text(subject),
        marks.text(rendering.page("campaign.txt").render(body=text or body.text, **common)),
        rendering.with_dark_mode(marks.html(rendering.inlined(html))),
    )
    return Template(*made, places=marks.places, keys=places_in(*made))


_IN_LINK = FieldProblem(
    "variable_in_link",
    "リンク先や画像の場所に差し込みは使えません。リンクの文字のほうに入れてください。",
    "A variable cannot be part of a link's or picture's address; put it into the words.",
)
