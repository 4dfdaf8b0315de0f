"""A column without a single valid value goes through every transform."""

import pytest

from privkit import fields
from privkit.keys import Keyring
from privkit.transforms import Encrypt, FormatPreserving, Generalise, Keep, Mask, Surrogate, Token


@pytest.fixture(scope="module")
def transforms(tmp_path_factory):
    key = Keyring.create(tmp_path_factory.mktemp("keys") / "keyring.json")["a"]
    made = {
        "keep": [Keep(field) for field in fields.CATALOGUE.values() if field.releasable],
        "mask": [
            Mask(field, profile=profile)
            for field in fields.CATALOGUE.values()
            if field.releasable
            for profile in field.masks
        ],
        "token": [Token(key, field) for field in fields.CATALOGUE.values() if field.releasable],
        "encrypt": [Encrypt(key, field) for field in fields.CATALOGUE.values() if field.releasable],
        "fpe": [
            FormatPreserving(field, key, small_domain=True)
            for field in fields.CATALOGUE.values()
            if field.layouts is not None
        ],
        "generalise": [Generalise(fields.BIRTH_DATE, to="year")],
        "surrogate": [Surrogate(fields.PERSON_NAME, key)],
    }
    return {word: [item for item in items if not takes_anything(item.field)] for word, items in made.items()}


BAD = ["\x00\x01", "\x00"]


def takes_anything(field):
    try:
        return all(field.normalise(value) for value in BAD)
    except ValueError:
        return False


@pytest.mark.parametrize("word", ["keep", "mask", "token", "encrypt", "fpe", "generalise", "surrogate"])
def test_all_are_suppressed(word, transforms):
    assert transforms[word]
    for transform in transforms[word]:
        outcome = transform.protect_column([*BAD, None], on_invalid="suppress")
        assert (outcome.column, outcome.nulls, outcome.invalid) == ([None, None, None], 1, 2), transform.field
