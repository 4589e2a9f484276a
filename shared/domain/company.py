"""The company in whose name forms are shown and mail is sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """What 特定電子メール法 4条 wants shown of a sender.

    ``name`` (and ``name_en``), postal ``address``, and ``contact`` for complaints and
    questions: a telephone number, a mail address or an https URL.
    """

    name: str
    name_en: str
    address: str
    contact: str
