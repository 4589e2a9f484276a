"""A stand-in for SES v2 SendEmail, because the emulator's own drops headers and sends no events.

Asked by `AWS_ENDPOINT_URL_SESV2`. The emulator still decides whether the caller may send (IAM);
the message is built and delivered here, by SMTP, and feedback is published as SES would.
"""

from local.ses.events import Feedback
from local.ses.server import Ses

__all__ = ["Feedback", "Ses"]
