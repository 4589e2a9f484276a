"""`make deploy`, last step: mail reaches us only while our receipt rule's set is the active one.

An account has one active set in each region; CloudFormation makes sets and cannot say which.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.config import ROOT
from local.preflight import context_of

OURS = "optin"


def main() -> None:
    context = context_of(
        json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"], sys.argv[1:]
    )
    try:
        print(activate(boto3.client("ses", region_name=str(context["region"])), context))
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"Deployed, but whether mail comes in is not known: {error}") from error


def activate(ses: Any, context: Mapping[str, Any]) -> str:
    """Make our rule set the active one where none is; one line about how it stands.

    Raises:
        SystemExit: another set is active; the message says what to do about it.
    """
    wanted = str(context.get("receipt_rule_set") or OURS)
    active = ses.describe_active_receipt_rule_set().get("Metadata", {}).get("Name", "")
    if active == wanted:
        return f"Mail comes in: the receipt rule set {wanted} is active."
    if not active and wanted == OURS:
        ses.set_active_receipt_rule_set(RuleSetName=OURS)
        return f"Mail comes in: the receipt rule set {OURS} is active now."
    if active and wanted == OURS:
        raise SystemExit(
            f"Deployed, but no mail comes in: this account already uses the receipt rule set "
            f"{active}, and only one can be active. Put our rule into it:\n"
            f'  make deploy ARGS="-c receipt_rule_set={active}"'
        )
    standing = f"the active receipt rule set is {active}" if active else "no rule set is active"
    raise SystemExit(
        f"Deployed, but no mail comes in: our rule stands in {wanted}, and {standing}. "
        f"If {wanted} shall be it:\n"
        f"  aws ses set-active-receipt-rule-set --rule-set-name {wanted} "
        f"--region {context['region']}"
    )


if __name__ == "__main__":
    main()
