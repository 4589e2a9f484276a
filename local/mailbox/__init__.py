"""Everyone's mailbox: an SMTP server that keeps what it is given, and a page to read it."""

from local.mailbox.store import Mailbox, Message
from local.mailbox.web import routes

__all__ = ["Mailbox", "Message", "routes"]
