"""The gateway over the real emulator: a function sees what API Gateway would show it.

A function that echoes its event is deployed by hand; no part of the product is in it.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import threading
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from local import config as configuration
from local.aws import Aws
from local.config import HOST
from local.emulator import Emulator
from local.gateway import MAX_BODY, Apis, Gateway
from local.options_requests import OptionsRequests

ECHO = """
import json
def handler(event, context):
    if event["rawPath"] == "/pages/raw":
        return {"statusCode": 200, "headers": {"content-type": "image/png"},
                "body": "iVBORw==", "isBase64Encoded": True}
    if event["rawPath"] == "/pages/imports":
        try:
            import aiohttp
        except ImportError:
            import boto3
            return {"statusCode": 204}
    return {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"],
            "headers": {"content-type": "application/json", "x-own": "yes"},
            "body": json.dumps(event)}
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(frozen=True)
class Front:
    port: int

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> Answer:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return Answer(answer.status, answer.headers, content)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The gateway and the emulator, in a thread of their own."""
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()
    folder = tmp_path_factory.mktemp("gateway")
    thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, ready)))
    thread.start()
    loop, stop, port = ready.result(timeout=60)
    yield Front(port)
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=30)


async def _serve(folder: Path, ready: Future[Any]) -> None:
    try:
        config = configuration.load(state=folder, port=configuration.free_port())
        emulator = Emulator(config)
        await emulator.start()
    except BaseException as error:
        ready.set_exception(error)
        raise
    try:
        aws = Aws(config.aws_url)
        api_id = await asyncio.to_thread(_deploy_echo, aws)
        gateway = Gateway(config, mailbox=web.Application())
        gateway.open_to(
            Apis(
                by_prefix={"/staff": api_id, "/console": "", "": api_id},
                options=await asyncio.to_thread(OptionsRequests, aws, (api_id,)),
            )
        )
        runner = web.AppRunner(gateway.application(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, config.port).start()
        stop = asyncio.Event()
        ready.set_result((asyncio.get_running_loop(), stop, config.port))
        await stop.wait()
        await runner.cleanup()
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise
    finally:
        await emulator.stop()


def _deploy_echo(aws: Aws) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("echo.py", ECHO)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = aws.iam.create_role(RoleName="echo", AssumeRolePolicyDocument=json.dumps(trust))
    function = aws.functions.create_function(
        FunctionName="echo",
        Runtime="python3.13",
        Handler="echo.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    aws.functions.add_permission(
        FunctionName="echo",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api_id = aws.apigateway.create_api(Name="echo", ProtocolType="HTTP")["ApiId"]
    integration = aws.apigateway.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function,
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    for route in ("ANY /pages/{id}", "GET /pages/{id}", "POST /pages/{id}", "$default"):
        aws.apigateway.create_route(
            ApiId=api_id, RouteKey=route, Target=f"integrations/{integration}"
        )
    aws.apigateway.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    return api_id


def test_query_string_arrives_as_it_was_sent(front: Front) -> None:
    event = front.ask("GET", "/pages/1?a=1&a=2&b=%E3%81%82+%2B&c").event
    assert event["rawQueryString"] == "a=1&a=2&b=%E3%81%82+%2B&c"
    assert event["queryStringParameters"]["a"] == "1,2"
    assert event["routeKey"] == "GET /pages/{id}"
    assert event["pathParameters"] == {"id": "1"}
    assert "body" not in event


def test_prefixes_lead_to_their_apis_and_leave_no_trace(front: Front) -> None:
    assert front.ask("GET", "/staff/pages/1").event["rawPath"] == "/pages/1"
    assert front.ask("GET", "/staffing").event["rawPath"] == "/staffing"
    assert front.ask("GET", "/console/").status == 404
    event = front.ask("GET", "/nowhere/at/all").event
    assert (event["routeKey"], event["rawPath"]) == ("$default", "/nowhere/at/all")


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/pdf", ""],
)
def test_every_byte_of_a_body_arrives(front: Front, content_type: str) -> None:
    body = bytes(range(256))
    headers = [("Content-Type", content_type)] if content_type else []
    event = front.ask("POST", "/pages/1", body, headers).event
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_text_bodies_arrive_as_text(front: Front) -> None:
    headers = [("Content-Type", "application/json; charset=utf-8")]
    event = front.ask("POST", "/pages/1", '{"名":1}'.encode(), headers).event
    assert (event["isBase64Encoded"], event["body"]) == (False, '{"名":1}')


def test_repeated_headers_are_joined(front: Front) -> None:
    event = front.ask("GET", "/pages/1", None, [("X-A", "1"), ("X-A", "2")]).event
    assert event["headers"]["x-a"] == "1,2"
    assert event["headers"]["x-forwarded-for"] == HOST


def test_answers_keep_status_headers_cookies_and_bytes(front: Front) -> None:
    answer = front.ask("GET", "/pages/1")
    assert answer.headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2"]
    assert answer.headers["x-own"] == "yes"
    assert answer.headers["Access-Control-Allow-Origin"] is None
    assert front.ask("GET", "/pages/raw").body == base64.b64decode("iVBORw==")


def test_options_reaches_the_function_as_in_aws(front: Front) -> None:
    event = front.ask("OPTIONS", "/pages/%31?x=1", None, [("Origin", "https://a.jp")]).event
    assert event["routeKey"] == "ANY /pages/{id}"
    assert event["requestContext"]["http"]["method"] == "OPTIONS"
    assert event["pathParameters"] == {"id": "1"}
    assert event["headers"]["origin"] == "https://a.jp"
    assert front.ask("OPTIONS", "/else").event["routeKey"] == "$default"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_take_the_any_route(front: Front, method: str) -> None:
    event = front.ask(method, "/pages/1", b"", []).event
    assert event["routeKey"] == "ANY /pages/{id}"
    assert event["requestContext"]["http"]["method"] == method


def test_head_takes_the_any_route_and_has_no_body(front: Front) -> None:
    answer = front.ask("HEAD", "/pages/1")
    assert (answer.status, answer.body) == (200, b"")


def test_more_than_ten_megabytes_is_refused_in_japanese(front: Front) -> None:
    answer = front.ask("POST", "/pages/1", b"x" * (MAX_BODY + 1), [])
    assert answer.status == 413
    assert answer.headers.get_content_type() == "application/problem+json"
    assert "10MB" in answer.event["detail"]


def test_functions_do_not_see_the_packages_of_this_environment(front: Front) -> None:
    assert front.ask("GET", "/pages/imports").status == 204
