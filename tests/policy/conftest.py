import pytest

from privkit.keys import Keyring


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")
