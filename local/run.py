"""`make run`: start everything, deploy, seed, say where it is, serve until stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from botocore.exceptions import BotoCoreError, ClientError

from local import config as configuration
from local import seed
from local.aws import Aws
from local.config import HOST, MAIL_DOMAIN, REGION, Config, write_atomically
from local.deploy import DeployError, Outputs, deploy, output
from local.emulator import Emulator, EmulatorError
from local.gateway import Apis, Gateway
from local.lock import exclusive
from local.mailbox import Mailbox, routes
from local.mailbox.inbound import Inbound
from local.mailbox.smtp import serve_smtp
from local.options_requests import OptionsRequests
from local.ses import Feedback, Ses

_STARTED = time.monotonic()


def say(text: str) -> None:
    """One line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:5.1f} s] {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    with exclusive(arguments.state) as lock:
        config = configuration.load(state=arguments.state, port=arguments.port)
        config.stack_file.unlink(missing_ok=True)
        try:
            asyncio.run(_until_stopped(config, lock))
        except (DeployError, EmulatorError, seed.SeedError, ClientError, BotoCoreError) as error:
            raise SystemExit(f"\nThe local stack could not be served.\n{error}") from error
        finally:
            config.stack_file.unlink(missing_ok=True)
        say("Stopped; the data are kept.")


async def _until_stopped(config: Config, lock: int) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP, or until a part of it fails."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopping = asyncio.create_task(stop.wait())
    serving = asyncio.create_task(_serve(config, lock))
    await asyncio.wait([stopping, serving], return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        say("Stopping …")
        serving.cancel()
    stopping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def _serve(config: Config, lock: int) -> None:
    aws = Aws(config.aws_url)
    mailbox = Mailbox(config.state / "mail")
    pages = routes(mailbox, url=config.mailbox_url, smtp_port=config.smtp_in_port)
    gateway = Gateway(config, mailbox=pages)
    inbound = Inbound(aws, MAIL_DOMAIN)
    feedback = Feedback(aws, lambda: datetime.now(UTC))
    async with contextlib.AsyncExitStack() as parts:
        await parts.enter_async_context(_web(gateway.application(), config.port))
        say("Starting the AWS emulator")
        emulator = Emulator(config, lock=lock)
        parts.push_async_callback(emulator.stop)
        await emulator.start()
        await parts.enter_async_context(
            _web(Ses(config, aws, feedback).application(), config.ses_port)
        )
        for server in (
            await serve_smtp(mailbox, port=config.smtp_out_port),
            await serve_smtp(mailbox, port=config.smtp_in_port, inbound=inbound),
        ):
            parts.callback(server.close)
        work = asyncio.create_task(feedback.work())
        parts.callback(work.cancel)
        parts.push_async_callback(feedback.drain, 5)

        say("Deploying the CDK app (about a minute the first time)")
        outputs = await deploy(config, aws, say)
        inbound.open_to(
            bucket=output(outputs, "InboundBucketName"),
            topic=output(outputs, "ReceivedMailTopicArn"),
        )
        apis = {
            "/staff": output(outputs, "StaffApiId"),
            "/console": output(outputs, "ConsoleApiId"),
            "": output(outputs, "PublicApiId"),
        }
        gateway.open_to(
            Apis(
                by_prefix=apis,
                options=await asyncio.to_thread(
                    OptionsRequests, aws, tuple(api_id for api_id in apis.values() if api_id)
                ),
            )
        )
        say("Demo sign-ins and forms")
        staff = await asyncio.to_thread(seed.users, config, aws, output(outputs, "UserPoolId"))
        it = next(user for user in staff if user.team == "IT")
        token = await asyncio.to_thread(
            seed.access_token, aws, output(outputs, "UserPoolClientId"), it
        )
        await seed.forms(config.context["staff_api_url"], token)
        write_atomically(
            config.stack_file,
            json.dumps(_description(config, staff, outputs), ensure_ascii=False, indent=2),
        )
        config.stack_file.chmod(0o600)
        say("Ready")
        _tell(config, staff)
        await asyncio.gather(emulator.wait(), work)


@asynccontextmanager
async def _web(application: web.Application, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=3)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    try:
        yield
    finally:
        await runner.cleanup()


def _description(config: Config, staff: list[seed.User], outputs: Outputs) -> dict[str, object]:
    """`stack.json`, as the contract names it."""
    context = config.context
    return {
        "public_url": context["public_url"],
        "console_url": context["console_url"],
        "staff_api_url": context["staff_api_url"],
        "mail_domain": MAIL_DOMAIN,
        "smtp_in": {"host": HOST, "port": config.smtp_in_port},
        "mailbox_url": config.mailbox_url,
        "mailbox_api": f"{config.mailbox_url}/api/messages",
        "users": [asdict(user) for user in staff],
        "forms": seed.described(),
        "aws": {"endpoint_url": config.aws_url, "region": REGION},
        "ses_control": f"{config.ses_url}/_control",
        "outputs": {
            f"{stack}.{name}": value
            for stack, values in outputs.items()
            for name, value in values.items()
        },
    }


def _tell(config: Config, staff: list[seed.User]) -> None:
    signs = "\n".join(f"    {user.team}  {user.username:<10} {user.password}" for user in staff)
    listed = "\n".join(
        f"    {config.public_url}/forms/{form['form_id']:<12} {form['title_ja']}"
        for form in seed.FORMS
    )
    print(
        f"""
  フォーム Forms
{listed}
  スタッフ画面 Console        {config.context["console_url"]}
  メールボックス Mailbox      {config.mailbox_url}
  メールを書く Write to us     SMTP {HOST}:{config.smtp_in_port}, optin@{MAIL_DOMAIN}
  スタッフAPI Staff API       {config.context["staff_api_url"]}/openapi.json
  サインイン Sign-ins (ローカル専用 local only)
{signs}

  ためしてみる Try this
    1. フォームを開き、チェックを入れて送信します。
       Open a form, tick the box, send it.
    2. スタッフ画面に CS でサインインし、「確認待ち」で登録します。
       Sign in to the console as CS and confirm the opt-in.
    3. 「一斉メール」で下書きを作り、me@example.jp にテスト送信します。承認は作成者以外が行います:
       GS でサインインし直し、承認して送信します。
       Write a campaign, send a test; then sign in as GS, approve and send it.
    4. メールボックスでメールを開き、「配信停止の手続きへ」を押します。
       Open the mail and unsubscribe.
    5. 「アドレスを調べる」で、送れない理由を確かめます。
       Look the address up: it says why no more mail is sent.
    6. メールボックスの「返信する」で「削除してください」と送り、
       届いた確認メールのボタンを押します。
       IT でサインインし、「依頼」で承認すると、削除の証明書が届きます。
       Answer a mail with "Please erase my data", confirm, and approve it as IT under 依頼.
    curl では: README.md ／ By curl: see README.md (make token STATE={config.state})

  止めるには Ctrl-C。データは {config.state} に残り、make reset で消えます。
  Ctrl-C stops it; the data stay in {config.state} until make reset.
""",
        flush=True,
    )


if __name__ == "__main__":
    main()
