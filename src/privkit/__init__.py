"""Pseudonymisation and field encryption for customer data, one value at a time or a hundred million.

The names below are the front door. Beside them stand `privkit.lowlevel` (standard algorithms on raw keys),
`privkit.keys` (stores and wrappers of key-encryption keys), `privkit.errors`, and the command line.
"""

from privkit import errors, fields
from privkit.keys import FieldKey, Keyring
from privkit.policy import Policy
from privkit.transforms import Encrypt, FormatPreserving, Generalise, Keep, Mask, Surrogate, Token, Transform

__version__ = "0.1.0"

__all__ = [
    "Encrypt",
    "FieldKey",
    "FormatPreserving",
    "Generalise",
    "Keep",
    "Keyring",
    "Mask",
    "Policy",
    "Surrogate",
    "Token",
    "Transform",
    "errors",
    "fields",
]
