"""A key-encryption key in AWS KMS, which it never leaves."""

from __future__ import annotations

import base64
import contextlib
import logging
import threading
from typing import TYPE_CHECKING, Any

from privkit.errors import KeyringError, KeyringUnreadable, MissingExtra
from privkit.keys.material import Secret, key_secret
from privkit.keys.wrappers.base import wrapped_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_REMEDIES = {
    "AccessDeniedException": "allow kms:Encrypt and kms:Decrypt on it to this role",
    "DisabledException": "enable it",
    "IncorrectKeyException": "name the key that wrapped this keyring",
    "InvalidCiphertextException": "name the key that wrapped this keyring, or restore the keyring from a backup",
    "KMSInvalidStateException": "enable it, or cancel its deletion",
    "NotFoundException": "check its id and region",
}
_TIMEOUTS = {"connect_timeout": 5, "read_timeout": 10, "retries": {"max_attempts": 3, "mode": "standard"}}


class AwsKms:
    """A key-encryption key in AWS KMS. It needs the extra `aws`.

    KMS is called once when a keyring is opened (and again at the end of its `lifetime`, where one is set), twice when
    it is created or rewrapped, and never for a rotation or a value. The keyring's id and the purpose are in the
    encryption context, so that they stand in CloudTrail and a key policy can ask for them
    (`kms:EncryptionContext:...`).

    Args:
        key: A symmetric KMS key: its id, ARN, or alias (`alias/privkit`).
        client: A `boto3` KMS client; by default one with boto3's own credentials and region, made when first needed.
        context: More pairs for the encryption context. The same must be given when opening.

    Raises:
        MissingExtra: If boto3 is not installed.
    """

    kind = "aws-kms"
    __slots__ = ("_client", "_context", "key")

    def __init__(self, key: str, *, client: Any = None, context: Mapping[str, str] | None = None) -> None:  # noqa: ANN401 - boto3 makes its client classes at run time
        _boto3()
        self.key = key
        self._client = client
        self._context = dict(context or {})

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """Have KMS encrypt a ring key."""
        answer = self._call(
            KeyringError,
            lambda client: client.encrypt(
                KeyId=self.key, Plaintext=secret.expose(), EncryptionContext={**self._context, **context}
            ),
        )
        wrapped = base64.b64encode(answer["CiphertextBlob"]).decode()
        return {"wrapper": self.kind, "key": answer["KeyId"], "wrapped": wrapped}

    def unwrap(self, record: Mapping[str, Any], context: Mapping[str, str]) -> Secret:
        """Have KMS decrypt a ring key, under this key and no other."""
        blob = wrapped_bytes(record)
        ring_key: Secret = self._call(
            KeyringUnreadable,
            lambda client: key_secret(
                client.decrypt(KeyId=self.key, CiphertextBlob=blob, EncryptionContext={**self._context, **context})[
                    "Plaintext"
                ],
                what="ring key",
            ),
        )
        return ring_key

    def describe(self) -> str:
        """The key's id, ARN or alias."""
        return f"AWS KMS key {self.key}"

    def __repr__(self) -> str:
        return f"AwsKms({self.key!r})"

    def _call(self, error: type[KeyringError], ask: Callable[[Any], Any]) -> Any:  # noqa: ANN401 - what boto3 answers
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - of an extra

        try:
            client = self._client = self._client or _new_client()
            with _unlogged():
                return ask(client)
        except ClientError as refusal:
            code = str(refusal.response.get("Error", {}).get("Code", "unknown"))
            remedy = _REMEDIES.get(code, "see the AWS KMS reference for that code")
            raise error(f"AWS KMS refused key {self.key} ({code}); {remedy}") from None
        except (BotoCoreError, ValueError) as failure:  # a region or endpoint that is no part of a URL is the latter
            raise error(
                f"cannot reach AWS KMS ({type(failure).__name__}); check network, region and credentials"
            ) from None


def _boto3() -> Any:  # noqa: ANN401 - boto3 has no types
    try:
        import boto3  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtra("AwsKms", extra="aws") from None
    return boto3


def _new_client() -> Any:  # noqa: ANN401 - boto3 has no types
    from botocore.config import Config  # noqa: PLC0415 - of an extra

    return _boto3().client("kms", config=Config(**_TIMEOUTS))


class _Silence(logging.Filter):
    """Drops the records of one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread


@contextlib.contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the AWS libraries from logging this thread's calls: at level DEBUG they log bodies, the ring key in them."""
    silence = _Silence()
    names = [name for name in list(logging.root.manager.loggerDict) if name.split(".")[0] in ("botocore", "boto3")]
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(silence)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(silence)
