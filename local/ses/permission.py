"""Whether a caller may send, or ask about a sender: its role's policies are asked, as AWS would.

The emulator knows the caller by its signature, but judges sending on the resource `*`, which
no policy that names the identity can allow. So it is asked twice: who this is (its refusal says),
and what that role may do with the identity and the configuration set (a simulation).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

import aiohttp

from local.aws import Aws
from local.config import ACCOUNT, REGION

PATH = "/v2/email/outbound-emails"
BULK_PATH = "/v2/email/outbound-bulk-emails"
ACCOUNT_PATH = "/v2/email/account"
IDENTITIES_PATH = "/v2/email/identities"
_ACTIONS = {PATH: "ses:SendEmail", BULK_PATH: "ses:SendBulkEmail"}
_PREFIX = f"arn:aws:ses:{REGION}:{ACCOUNT}"
_ROLE = re.compile(r"User: arn:aws:sts::\d+:assumed-role/([^/\s]+)/")
_NOT_HANDED_ON = frozenset({"content-length", "connection", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer AWS would give."""

    status: int
    kind: str
    body: bytes


class Permission:
    """Asks the emulator each time: a test may have changed a role's policy just now."""

    def __init__(self, aws: Aws, http: aiohttp.ClientSession, emulator_url: str) -> None:
        self._aws = aws
        self._http = http
        self._url = emulator_url

    async def refusal(
        self,
        headers: Mapping[str, str],
        body: bytes,
        request: Mapping[str, Any],
        *,
        path: str = PATH,
    ) -> Refusal | None:
        """None if this signed request may be carried out."""
        refusal = await self._asked("POST", path, headers, body)
        return await self._judged(refusal, _ACTIONS[path], _resources(request))

    async def identity_refusal(self, headers: Mapping[str, str], identity: str) -> Refusal | None:
        """None if GetEmailIdentity may be answered about this identity."""
        refusal = await self._asked("GET", f"{IDENTITIES_PATH}/{identity}", headers, b"")
        return await self._judged(refusal, "ses:GetEmailIdentity", (_identity(identity),))

    async def account_refusal(self, headers: Mapping[str, str]) -> Refusal | None:
        """None if GetAccount may be answered; it knows no resource but `*`."""
        return await self._asked("GET", ACCOUNT_PATH, headers, b"")

    async def _asked(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Refusal | None:
        handed_on = {
            name: value for name, value in headers.items() if name.lower() not in _NOT_HANDED_ON
        }
        url = f"{self._url}{path}"
        async with self._http.request(method, url, data=body, headers=handed_on) as answer:
            if answer.status not in (401, 403):
                return None  # the emulator's own opinion of the message does not count
            return Refusal(
                status=answer.status,
                kind=answer.headers.get("x-amzn-ErrorType", "AccessDeniedException"),
                body=await answer.read(),
            )

    async def _judged(
        self, refusal: Refusal | None, action: str, resources: tuple[str, ...]
    ) -> Refusal | None:
        """The emulator's refusal, unless the role it names may do this with these resources."""
        role = _ROLE.search(refusal.body.decode("utf-8", "replace")) if refusal else None
        if role is not None and await asyncio.to_thread(self._may, role[1], action, resources):
            return None
        return refusal

    def _may(self, role: str, action: str, resources: tuple[str, ...]) -> bool:
        return all(
            self._aws.iam.simulate_principal_policy(
                PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
                ActionNames=[action],
                ResourceArns=[resource],
            )["EvaluationResults"][0]["EvalDecision"]
            == "allowed"
            for resource in resources
        )


def _resources(request: Mapping[str, Any]) -> tuple[str, ...]:
    domain = parseaddr(str(request.get("FromEmailAddress", "")))[1].rpartition("@")[2]
    named = request.get("ConfigurationSetName")
    return (
        _identity(domain),
        *((f"{_PREFIX}:configuration-set/{named}",) if named else ()),
    )


def _identity(name: str) -> str:
    return f"{_PREFIX}:identity/{name}"
