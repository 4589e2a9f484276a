"""What an author writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from shared.domain.campaigns import Campaign


@dataclass(frozen=True, slots=True)
class Content:
    """Subject, body in Markdown, and a text part of the author's own, where there is one."""

    subject: str
    body: str
    text: str = ""

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        """The words of a campaign."""
        return cls(campaign.subject, campaign.body, campaign.text)
