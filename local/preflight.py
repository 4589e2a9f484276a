"""`make deploy`: say all that is missing for a deployment to AWS, before anything is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.config import ROOT


def main() -> None:
    context = context_of(
        json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"], sys.argv[1:]
    )
    missing = [*missing_settings(context), *missing_in_account(str(context.get("region", "")))]
    if missing:
        print("Not deployed. This is missing first:", file=sys.stderr)
        for number, text in enumerate(missing, 1):
            print(f"  {number}. {text}", file=sys.stderr)
        print(
            'Settings stand in cdk.json under "context", or: '
            'make deploy ARGS="-c mail_domain=mail.your-company.jp"',
            file=sys.stderr,
        )
        raise SystemExit(1)
    print(zone(context))


def zone(context: Mapping[str, Any]) -> str:
    """What the domain's DNS needs beside the stack, which cannot write it."""
    domain, region = context["mail_domain"], context["region"]
    return (
        f"DNS, once: mail to {domain} comes in with the record\n"
        f"  {domain} MX 10 inbound-smtp.{region}.amazonaws.com\n"
        f"and mail goes out with the DkimRecord outputs that follow."
    )


def context_of(settings: Mapping[str, Any], arguments: Sequence[str]) -> dict[str, Any]:
    """The settings as the CDK will see them: cdk.json, then `-c key=value`."""
    context = dict(settings)
    values = iter(arguments)
    for argument in values:
        name, _, given = argument.partition("=")
        if argument in ("-c", "--context"):
            given = next(values, "")
        elif name != "--context":
            continue
        key, _, value = given.partition("=")
        context[key] = value
    return context


def missing_settings(context: Mapping[str, Any]) -> Iterator[str]:
    """Settings that are still the repository's examples."""
    if context.get("target") != "aws":
        yield f"target is {context.get('target')!r}; for AWS it is aws."
    if str(context.get("mail_domain", "")).endswith((".example.jp", ".example")):
        yield "mail_domain: the domain mail is sent from (its DNS must be yours)."
    company = context.get("company")
    if isinstance(company, str):
        company = json.loads(company)
    for field, value in dict(company or {}).items():
        if "○" in str(value) or "example" in str(value):
            yield f"company.{field}: it stands in every mail, as the law asks."


def missing_in_account(region: str) -> Iterator[str]:
    """Credentials, and what `cdk bootstrap` makes once for each account and region."""
    try:
        session = boto3.Session(region_name=region)
        account = session.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        yield f"AWS credentials (aws sso login, or AWS_PROFILE=…): {error}"
        return
    try:
        session.client("ssm").get_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    except (BotoCoreError, ClientError):
        yield f"Bootstrap, once: npx cdk bootstrap aws://{account}/{region}"


if __name__ == "__main__":
    main()
