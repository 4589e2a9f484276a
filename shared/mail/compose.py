"""One recipient's copy of a campaign: text, HTML and the headers mailboxes act on.

The footer carries what 特定電子メール法 4条 and the manual (U2) want, in both parts as text:
who sends, the postal address, where complaints go, the manual's unsubscribe wording right
above the link, and the reply address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.header import Header
from email.utils import formataddr
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from shared.domain.campaigns import Campaign
from shared.domain.company import Company
from shared.domain.contact import Contact
from shared.domain.links import Link, LinkKeys, sign
from shared.texts import consent
from shared.texts.consent import TextId


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
class Composer:
    """What every mail has in common: who sends, from where, and how links are signed."""

    company: Company
    mail_domain: str
    public_url: str
    keys: LinkKeys

    def compose(self, campaign: Campaign, contact: Contact) -> Message:
        """The copy of ``campaign`` for ``contact``, whose address must be held."""
        token = sign(Link(contact.contact_id, campaign.campaign_id), self.keys)
        link = f"{self.public_url}/u/{token}"
        notice = consent.current(TextId.UNSUBSCRIBE_NOTICE)
        reply_to = f"reply@{self.mail_domain}"
        common: dict[str, Any] = {
            "subject": campaign.subject,
            "company": self.company,
            "link": link,
            "reply_to": reply_to,
            "notice_ja": notice.ja,
            "notice_en": notice.en,
        }
        body = campaign.body.replace("\r\n", "\n").strip()
        return Message(
            sender=_mailbox(self.company.name, f"news@{self.mail_domain}"),
            reply_to=reply_to,
            to=contact.address,
            subject=campaign.subject,
            text=_template("campaign.txt").render(body=body, **common),
            html=_template("campaign.html").render(paragraphs=_paragraphs(body), **common),
            headers={
                # RFC 2369, RFC 8058: one https link, one mailto, and the one-click marker.
                "List-Unsubscribe": f"<{link}>, <mailto:stop+{token}@{self.mail_domain}>",
                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            },
            tags={"campaign": campaign.campaign_id, "contact": contact.contact_id},
        )


def _mailbox(name: str, address: str) -> str:
    """A long Japanese name needs several encoded words: RFC 2047 allows 75 characters each."""
    words = name if name.isascii() else Header(name, "utf-8").encode(linesep="", maxlinelen=75)
    return formataddr((words, address))


def _paragraphs(body: str) -> list[list[str]]:
    """Blank lines part paragraphs; other line breaks are kept."""
    return [block.split("\n") for block in body.split("\n\n") if block.strip()]


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("shared.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


@cache
def _template(name: str) -> Any:
    return _environment().get_template(name)
