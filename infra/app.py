"""`python -m infra.app`: builds the Lambda asset and synthesises the three stacks.

The CDK CLI starts this with the `app` of cdk.json, or with the interpreter named in
`--app ".venv/bin/python -m infra.app"`: any that has requirements/dev.txt.
"""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks

from infra import bundle
from infra.config import read_config
from infra.stacks import APP_STACK, AppStack, DataStack, IdentityStack


def build(app: cdk.App, *, asset: Path | None = None) -> cdk.App:
    """Adds the stacks; `asset` stands in for the real Lambda bundle in tests."""
    config = read_config(app.node.try_get_context)
    if not config.local:
        # Synthesis fails on a finding. The stand-in's relaxations are not for AWS.
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    data = DataStack(app, "OptinData", config=config)
    identity = IdentityStack(app, "OptinIdentity", config=config)
    AppStack(
        app,
        APP_STACK,
        config=config,
        data=data,
        identity=identity,
        asset=asset or bundle.build(config.target),
    )
    cdk.Tags.of(app).add("project", "optin")
    return app


if __name__ == "__main__":
    build(cdk.App()).synth()
