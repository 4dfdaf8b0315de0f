"""What a keyring's ring key is wrapped by: a file, a passphrase, a variable, a KMS or an HSM."""

from privkit.keys.wrappers.base import Wrapper
from privkit.keys.wrappers.environment import EnvironmentKey
from privkit.keys.wrappers.local import LocalKey

__all__ = ["EnvironmentKey", "LocalKey", "Wrapper"]
