"""Encrypted columns for SQLAlchemy 2; needs the extra `sqlalchemy`."""

from privkit.integrations.sqlalchemy.blind_index import BlindIndex
from privkit.integrations.sqlalchemy.bulk import reveal_rows
from privkit.integrations.sqlalchemy.checking import check_statement
from privkit.integrations.sqlalchemy.encrypted import Encrypted
from privkit.integrations.sqlalchemy.job import reencrypt
from privkit.integrations.sqlalchemy.migrations import render_item
from privkit.integrations.sqlalchemy.refusals import NotBound, NotSearchable, WouldWritePlaintext
from privkit.integrations.sqlalchemy.transformed import FormatPreserved, Tokenised
from privkit.integrations.sqlalchemy.viewing import forget_views

__all__ = [
    "BlindIndex",
    "Encrypted",
    "FormatPreserved",
    "NotBound",
    "NotSearchable",
    "Tokenised",
    "WouldWritePlaintext",
    "check_statement",
    "forget_views",
    "reencrypt",
    "render_item",
    "reveal_rows",
]
