"""The AWS side of optin, as CDK: `python -m infra.app` (see cdk.json)."""
