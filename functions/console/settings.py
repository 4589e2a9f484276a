"""What the console reads from its environment."""

from __future__ import annotations

import dataclasses
from urllib.parse import urlsplit


@dataclasses.dataclass(frozen=True)
class ConsoleSettings:
    """``functions.console``: where it stands, whom it asks, who signs people in."""

    company_name: str
    console_url: str
    staff_api_url: str
    cognito_domain: str
    cognito_client_id: str
    public_url: str  # of the forms, which it links to

    @property
    def prefix(self) -> str:
        """The path the console is mounted at: ``/console``, or empty at a root."""
        return urlsplit(self.console_url).path.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers write it in ``Origin``."""
        parts = urlsplit(self.console_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_secure(self) -> bool:
        """Served over TLS; only the local stand-in is not."""
        return self.console_url.startswith("https://")

    @property
    def sign_in_origin(self) -> str:
        """Where Cognito's pages are; signing out leads there."""
        parts = urlsplit(self.cognito_domain)
        return f"{parts.scheme}://{parts.netloc}"
