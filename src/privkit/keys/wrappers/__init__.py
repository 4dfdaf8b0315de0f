"""What a keyring's ring key is wrapped by: a file, a passphrase, a variable, a KMS or an HSM."""

from privkit.keys.wrappers.aws import AwsKms
from privkit.keys.wrappers.base import Wrapper
from privkit.keys.wrappers.environment import EnvironmentKey
from privkit.keys.wrappers.local import LocalKey
from privkit.keys.wrappers.passphrase import Passphrase
from privkit.keys.wrappers.pkcs11 import Pkcs11

__all__ = ["AwsKms", "EnvironmentKey", "LocalKey", "Passphrase", "Pkcs11", "Wrapper"]
