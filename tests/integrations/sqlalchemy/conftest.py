"""A keyring and an empty database for each test of encrypted columns."""

import pytest
import sqlalchemy as sa

from privkit.keys import Keyring


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def keys(tmp_path):
    return Keyring.create(tmp_path / "keyring.json")
