"""Mail as it really comes in, read without trusting a byte of it.

``read`` is pure, takes any bytes, never raises, and its work is bounded whatever it is given.
"""

from shared.inbox.reader import read

__all__ = ["read"]
