"""The ring key: what a keyring's root keys are wrapped with, and its file authenticated with.

The wrapper (a local file, a passphrase, a KMS, an HSM) wraps this one key, so opening a keyring asks it once, however
many versions there are; a rotation does not ask it at all.

```
ring key      32 random bytes, wrapped by the wrapper; drawn anew by every rewrap
sealing key   HKDF-SHA256(ring key, "privkit/keyring/1 seal"), 64 bytes
sealed root   AES-256-SIV (RFC 5297) of the root key; associated data: keyring id (32 hex digits), key id (8 hex digits)
tag key       HKDF-SHA256(ring key, "privkit/keyring/1 tag"), 32 bytes
tag           HMAC-SHA256 over the document (see `document`), in hex
```

SIV is deterministic and needs no nonce, which is right for keys: each is random and wrapped once under each sealing
key. Over RFC 3394 it has associated data, by which a wrapped root fits one key id of one keyring only; over AES-GCM-SIV
it has no need of OpenSSL 3.2. The labels are no prefix of one another, and none begins like those of `derivation`.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from privkit.errors import KeyringUnreadable
from privkit.keys.derivation import expand
from privkit.keys.material import Secret

_SEAL = b"privkit/keyring/1 seal"
_TAG = b"privkit/keyring/1 tag"


def seal_root(ring_key: Secret, root: Secret, ring_id: str, key_id: str) -> bytes:
    """Wrap a root key: 48 bytes."""
    return _siv(ring_key).encrypt(root.expose(), [ring_id.encode(), key_id.encode()])


def open_root(ring_key: Secret, sealed: bytes, ring_id: str, key_id: str) -> Secret:
    """Unwrap a root key.

    Raises:
        KeyringUnreadable: If it was wrapped under another ring key, for another place, or altered.
    """
    try:
        return Secret(_siv(ring_key).decrypt(sealed, [ring_id.encode(), key_id.encode()]))
    except InvalidTag:
        raise KeyringUnreadable(f"key {key_id} of the keyring is damaged; restore the keyring from a backup") from None


def tag_of(ring_key: Secret, document: bytes) -> str:
    """The tag of a keyring's document."""
    return hmac.new(expand(ring_key, _TAG, 32).expose(), document, hashlib.sha256).hexdigest()


def _siv(ring_key: Secret) -> AESSIV:
    return AESSIV(expand(ring_key, _SEAL, 64).expose())
