"""Everything that can go wrong in words of the domain, as one tree.

OptinError                     status  meaning
├── BadRequest                    400  the request cannot be read at all
├── NotFound                      404  no such form, contact, campaign or link
├── Conflict                      409  the thing is not in a state that allows this
├── Unprocessable                 422  fields are readable but wrong (named in ``fields``)
├── NotAllowed                    403  origin or team may not do this
├── TooMany                       429  a limit was reached; ``retry_after`` seconds
├── PayloadTooLarge               413
├── UnsupportedType               415
├── MethodNotAllowed              405
└── Unavailable                   503  a store or service could not be asked: fail closed

One base class with typed attributes, so that HTTP mapping is done once
(``shared/http.py``) and nobody parses messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class OptinError(Exception):
    """Base of every error this product raises on purpose.

    ``code`` is a stable machine-readable name; ``ja`` and ``en`` are sentences for people.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"
    title_ja: ClassVar[str] = "処理できませんでした"

    def __init__(self, code: str, ja: str, en: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.ja = ja
        self.en = en or code


class BadRequest(OptinError):
    """The request cannot be read (syntax, encoding)."""

    status = 400
    title = "Bad Request"
    title_ja = "送信内容を読み取れません"


class NotFound(OptinError):
    """There is no such thing."""

    status = 404
    title = "Not Found"
    title_ja = "見つかりません"


class NotAllowed(OptinError):
    """The caller is known but may not do this."""

    status = 403
    title = "Forbidden"
    title_ja = "許可されていません"


class MethodNotAllowed(OptinError):
    """The route exists, the method does not."""

    status = 405
    title = "Method Not Allowed"
    title_ja = "対応していない操作です"


class Conflict(OptinError):
    """The thing is not in a state that allows this."""

    status = 409
    title = "Conflict"
    title_ja = "この操作はできません"


class PayloadTooLarge(OptinError):
    """The body is over the limit."""

    status = 413
    title = "Content Too Large"
    title_ja = "送信内容が大きすぎます"


class UnsupportedType(OptinError):
    """The body's media type is not one we read."""

    status = 415
    title = "Unsupported Media Type"
    title_ja = "対応していない形式です"


class Unprocessable(OptinError):
    """Readable but wrong; ``fields`` maps a field's name to a FieldProblem."""

    status = 422
    title = "Unprocessable Content"
    title_ja = "入力内容をご確認ください"

    def __init__(self, fields: Mapping[str, FieldProblem]) -> None:
        super().__init__(
            "invalid_fields",
            "入力内容をご確認ください。",
            "Please check what you entered.",
        )
        self.fields = dict(fields)


class TooMany(OptinError):
    """A limit was reached. ``retry_after`` is in seconds."""

    status = 429
    title = "Too Many Requests"
    title_ja = "送信が集中しています"

    def __init__(self, code: str, retry_after: int) -> None:
        super().__init__(
            code,
            "短い時間に送信が集中しています。しばらく待ってから、もう一度お試しください。",
            "Too many submissions in a short time. Please wait a little and try again.",
        )
        self.retry_after = retry_after


class Unavailable(OptinError):
    """A store or service could not be asked; nothing is assumed (fail closed)."""

    status = 503
    title = "Service Unavailable"
    title_ja = "ただいま処理できません"

    def __init__(self, code: str) -> None:
        super().__init__(
            code,
            "ただいま処理できませんでした。お手数ですが、もう一度お試しください。",
            "We could not process this just now. Please try again.",
        )


class FieldProblem:
    """What is wrong with one field, in both languages, with a correction when there is one."""

    __slots__ = ("code", "en", "ja", "suggestion")

    def __init__(self, code: str, ja: str, en: str, suggestion: str | None = None) -> None:
        self.code = code
        self.ja = ja
        self.en = en
        self.suggestion = suggestion
