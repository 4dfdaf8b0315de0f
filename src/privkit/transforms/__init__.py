"""Transforms: what turns a value into a protected form."""

from privkit.transforms.base import OnInvalid, Outcome, Reversible, Transform
from privkit.transforms.encrypt import Encrypt
from privkit.transforms.fpe import FormatPreserving
from privkit.transforms.generalise import Generalise
from privkit.transforms.index import BlindIndexOf, Part
from privkit.transforms.keep import Keep
from privkit.transforms.mask import Mask
from privkit.transforms.noise import Distribution, Noise
from privkit.transforms.shift import DateShift
from privkit.transforms.subjects import EncryptBySubject
from privkit.transforms.surrogate import Surrogate
from privkit.transforms.token import Form, Token

__all__ = [
    "BlindIndexOf",
    "DateShift",
    "Distribution",
    "Encrypt",
    "EncryptBySubject",
    "Form",
    "FormatPreserving",
    "Generalise",
    "Keep",
    "Mask",
    "Noise",
    "OnInvalid",
    "Outcome",
    "Part",
    "Reversible",
    "Surrogate",
    "Token",
    "Transform",
]
