"""What keys of field encryption are for, once: who encrypts and who hands keys to other programs derive the same."""

from privkit.keys.derivation import Usage

RANDOMISED = Usage("encrypt", "AES-SIV", 64, mode="randomised")
"""What `Encrypt` derives its keys for."""

DETERMINISTIC = Usage("encrypt", "AES-SIV", 64, mode="deterministic")
"""What `Encrypt(deterministic=True)` derives its keys for, and `export_tink` hands out."""
