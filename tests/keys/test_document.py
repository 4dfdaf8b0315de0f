"""The keyring's document: its frozen form, and what is authentic and yet not to be used."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from privkit.errors import KeyringUnreadable
from privkit.keys import Keyring, LocalKey, SqliteSubjects, State, Usage
from privkit.keys import document as documents
from privkit.keys.document import Envelope, encode
from privkit.keys.subject_table import SubjectRow

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "keyring.json").read_text(encoding="utf-8"))
CMAC = Usage("token", "AES-CMAC", 32)


@pytest.fixture
def frozen(path, tmp_path):
    """The keyring that the first release wrote."""
    kek = tmp_path / "kek"
    kek.write_text(VECTOR["kek"])
    kek.chmod(0o600)
    path.write_text(json.dumps(VECTOR["keyring"]))
    path.chmod(0o600)
    return Keyring.open(path, wrapper=LocalKey(kek))


def test_the_first_releases_keyring_opens(frozen):
    assert [version.state.value for version in frozen.versions] == VECTOR["states"]
    tokens = {f"{key_id:08x}": frozen["client.phone"].cmac(CMAC, key_id) for key_id in frozen.version_ids}
    assert {key_id: cmac.digest(b"13812345678").hex() for key_id, cmac in tokens.items()} == VECTOR["tokens"]


def test_the_first_releases_persons_open(frozen, tmp_path):
    person = VECTOR["person"]
    row = SubjectRow(
        bytes.fromhex(person["subject"]),
        person["key_id"],
        person["ring_key_id"],
        bytes.fromhex(person["wrapped"]),
        person["created"],
    )
    SqliteSubjects(tmp_path / "keyring.json.subjects").add([row])
    key = frozen.subject(person["id"])["note"]
    assert key.primary_id == person["key_id"]
    assert key.cmac(CMAC).digest(b"13812345678").hex() == person["token"]


def test_what_is_read_is_written_the_same(frozen):
    opened = frozen._vault.opened
    assert json.loads(encode(opened.document, opened.ring_key)) == VECTOR["keyring"]


def test_an_authentic_document_of_a_newer_form_is_refused(keys, monkeypatch):
    opened = keys._vault.opened
    monkeypatch.setattr(documents, "_version_to_json", lambda _: {"id": "1", "state": "asleep", "root": None})
    stored = encode(opened.document, opened.ring_key)
    with pytest.raises(KeyringUnreadable, match="use a newer privkit"):
        Envelope(stored).open(opened.ring_key)


def test_a_wrapped_root_under_another_id_is_refused_even_with_a_right_tag(keys):
    keys.rotate()
    opened = keys._vault.opened
    one, other = opened.document.versions
    swapped = replace(opened.document, versions=(replace(one, sealed=other.sealed), other))
    again = Envelope(encode(swapped, opened.ring_key)).open(opened.ring_key)
    with pytest.raises(KeyringUnreadable, match=f"key {one.id:08x} of the keyring is damaged"):
        again.roots(opened.ring_key)


def test_nothing_is_written_that_does_not_open(keys, path, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr(documents, "seal_root", lambda *_: bytes(48))
    with pytest.raises(KeyringUnreadable, match="is damaged"):
        keys.rotate()
    assert path.read_bytes() == before


def test_states_are_spelled_as_they_are_stored():
    assert [state.value for state in State] == ["primary", "enabled", "staged", "disabled", "destroyed"]
