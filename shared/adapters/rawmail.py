"""The bucket where SES leaves mail as it came (encrypted, with a short lifecycle)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.adapters.aws import error_code, translated
from shared.domain.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_KEYS = 1_000  # of one DeleteObjects


@dataclass
class RawMail:
    """Raw messages by the key of their object."""

    client: S3Client
    bucket: str

    def read(self, key: str, limit: int) -> tuple[bytes, bool]:
        """The first ``limit`` bytes, and whether that is all of it.

        Raises:
            NotFound: there is no such object (any more).
            Unavailable: the bucket could not be asked.
        """
        with translated("rawmail"):
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=key)
                raw = answer["Body"].read(limit)
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise
                raise NotFound(
                    "raw_mail_gone",
                    "メールの原本は保存期間を過ぎたか、削除されています。",
                    "The original message is past its retention or was erased.",
                ) from None
        return raw, len(raw) == answer["ContentLength"]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone already do no harm.

        Raises:
            Unavailable: not all are surely removed; doing it again is harmless.
        """
        for start in range(0, len(keys), _KEYS):
            some = keys[start : start + _KEYS]
            with translated("rawmail"):
                answer = self.client.delete_objects(
                    Bucket=self.bucket,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
            failed = answer.get("Errors")
            if failed:
                raise Unavailable(f"rawmail:{failed[0].get('Code', 'unknown')}")

    def url(self, key: str, seconds: int) -> str:
        """A link by which whoever has it may fetch the message for so long, as a file.

        Never as a page: what a stranger wrote is not run by a browser.
        """
        with translated("rawmail"):
            return self.client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket,
                    "Key": key,
                    "ResponseContentDisposition": f'attachment; filename="{key[-40:]}.eml"',
                    "ResponseContentType": "application/octet-stream",
                },
                ExpiresIn=seconds,
            )
