"""The app, synthesised once for each target, with a one-file asset in place of the bundle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import pytest

from infra.app import build
from tests.infrastructure.assembly import CONTEXT, Assembly, Synthesise


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synthesise]:
    """`synthesise(target="local")`: the app with cdk.json's context and these changes."""
    asset = tmp_path_factory.mktemp("asset")
    (asset / "nothing.py").touch()
    account = os.environ.pop("CDK_DEFAULT_ACCOUNT", None)

    def run(**context: Any) -> Assembly:
        folder = tmp_path_factory.mktemp("cdk") / "out"
        app = cdk.App(context={**CONTEXT, **context}, outdir=str(folder))
        build(app, asset=asset).synth()
        return Assembly(folder)

    yield run
    if account is not None:
        os.environ["CDK_DEFAULT_ACCOUNT"] = account


@pytest.fixture(scope="session")
def aws(synthesise: Synthesise) -> Assembly:
    """For AWS, with all that can be left empty left empty. cdk-nag runs in it."""
    return synthesise()


@pytest.fixture(scope="session")
def local(synthesise: Synthesise) -> Assembly:
    """For the stand-in, as `make run` deploys it."""
    return synthesise(
        target="local",
        public_url="http://127.0.0.1:8080",
        console_url="http://127.0.0.1:8080/console",
        staff_api_url="http://127.0.0.1:8080/staff",
        cognito_domain_url="http://127.0.0.1:8080",
        ses_endpoint="http://127.0.0.1:9000",
    )
