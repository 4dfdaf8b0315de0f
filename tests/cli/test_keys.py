"""`privkit keys`: the life of a keyring on the command line."""

import io
import json

import pytest

from privkit.keys import Keyring, LocalKey


@pytest.fixture
def keys(run, place):
    """`privkit keys COMMAND keyring.json ...`."""
    assert place
    return lambda command, *more, path="keyring.json": run("keys", command, path, *more)


def listed(keys, path="keyring.json"):
    return json.loads(keys("list", "--json", path=path).out)


def states(keys):
    return [key["state"] for key in listed(keys)["keys"]]


def test_init_makes_a_keyring_and_never_another_in_its_place(keys, place):
    ran = keys("init", path="new.json")
    assert ran.status == 0
    assert Keyring.open(place / "new.json").id in ran.out
    assert "primary" in ran.out
    before = (place / "new.json").read_bytes()
    assert keys("init", path="new.json").failed()
    assert (place / "new.json").read_bytes() == before


def test_rotate_disable_enable(keys):
    ran = keys("rotate")
    assert ran.status == 0
    assert "writes from now on" in ran.out
    assert states(keys) == ["enabled", "primary"]
    first = listed(keys)["keys"][0]["id"]
    assert keys("disable", first).status == 0
    assert states(keys) == ["disabled", "primary"]
    assert keys("enable", first.upper()).status == 0
    assert states(keys) == ["enabled", "primary"]
    assert first in keys("list").out


def test_json_and_tables_say_the_same(keys, place):
    told = listed(keys)
    keyring = Keyring.open(place / "keyring.json")
    assert told["keyring"] == keyring.id
    assert told["generation"] == keyring.generation == 1
    assert told["keys"] == [
        {
            "id": f"{keyring.primary_id:08x}",
            "state": "primary",
            "created": keyring.versions[0].created.isoformat(),
            "changed": keyring.versions[0].changed.isoformat(),
            "stable": True,
            "stable_for": [],
        }
    ]
    table = keys("list").out
    assert told["keys"][0]["id"] in table
    assert "every field" in table
    keyring.move_stable("card.number")
    keyring.alias("client.phone", of="customer.phone")
    table = keys("list").out
    assert "every other field, card.number" in table
    assert "client.phone stands for customer.phone" in table


def destroyed(keys, monkeypatch, key, answers, *more):
    monkeypatch.setattr("sys.stdin", io.StringIO(answers))
    return keys("destroy", key, "--breaks-stable", *more)


def test_destroy_asks_twice(keys, monkeypatch):
    keys("rotate")
    first, second = (key["id"] for key in listed(keys)["keys"])
    assert destroyed(keys, monkeypatch, first, "n\n").status == 130
    assert destroyed(keys, monkeypatch, first, "").status == 130
    assert "nothing was destroyed" in destroyed(keys, monkeypatch, first, f"y\n{second}\n").err
    assert "nothing was destroyed" in destroyed(keys, monkeypatch, first, "", "--confirm", second).err
    assert states(keys) == ["enabled", "primary"]
    ran = destroyed(keys, monkeypatch, first, f"y\n{first}\n")
    assert ran.status == 0
    assert f"key {first} is destroyed" in ran.out
    assert states(keys) == ["destroyed", "primary"]


def test_destroy_can_be_confirmed_by_a_program_and_minds_what_stands_on_a_key(keys):
    keys("rotate")
    first, second = (key["id"] for key in listed(keys)["keys"])
    assert "stand on key" in keys("destroy", first, "--confirm", first).failed()
    assert "is the primary" in keys("destroy", second, "--confirm", second).failed()
    told = json.loads(keys("destroy", first, "--confirm", first, "--breaks-stable", "--json").out)
    assert [key["state"] for key in told["keys"]] == ["destroyed", "primary"]


@pytest.mark.parametrize("key", ["0", "xyz", "ffffffff1", "-"])
def test_a_key_that_is_not_there(keys, key):
    assert "keyring has no key" in keys("disable", key).failed()


def test_the_only_key_is_not_disabled(keys):
    assert "rotate first" in keys("disable", listed(keys)["keys"][0]["id"]).failed()


def test_rewrap_and_open_with_a_passphrase(keys, monkeypatch, run, place):
    monkeypatch.setenv("PRIVKIT_PASSPHRASE", "correct horse battery staple")
    ran = keys("rewrap", "--to", "passphrase")
    assert ran.status == 0
    assert "wrapped anew" in ran.out
    (place / "keyring.json.kek").unlink()
    assert keys("list").status == 0
    apply = ("apply", "policy.toml", "--view", "support", "--keyring", "keyring.json", "in.csv", "out.csv")
    assert run(*apply).status == 0
    monkeypatch.setenv("PRIVKIT_PASSPHRASE", "another horse altogether")
    assert "horse" not in keys("list").failed()
    monkeypatch.delenv("PRIVKIT_PASSPHRASE")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert "set PRIVKIT_PASSPHRASE" in keys("list").failed()


def test_rewrap_by_a_variable_and_another_file(keys, monkeypatch, place):
    monkeypatch.setenv("MY_KEK", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    assert keys("rewrap", "--to", "env:MY_KEK").status == 0
    assert "MY_KEK" in keys("list").out
    assert "MDEy" not in keys("list").out
    assert keys("rewrap", "--to", f"local:{place / 'elsewhere.kek'}").status == 0
    assert keys("list", "--kek", f"local:{place / 'elsewhere.kek'}").status == 0
    assert keys("list").failed()


@pytest.mark.parametrize("kek", ["", "loca", "aws", "pkcs11:x", "passphrase:x", "aws:"])
def test_a_kek_that_is_none(keys, kek):
    assert "--kek" in keys("rewrap", "--to", kek).failed()


class Elsewhere(LocalKey):
    """A wrapper that a keyring does not find by itself."""

    kind = "elsewhere"


def test_a_keyring_that_does_not_tell_what_opens_it(keys, place):
    Keyring.create(place / "far.json", wrapper=Elsewhere(place / "far.kek"))
    assert "wrapped by 'elsewhere'; name its key with --kek" in keys("list", path="far.json").failed()
    assert "wrapped by 'elsewhere', not by 'local'" in keys("list", "--kek", "local", path="far.json").failed()


def test_a_staged_key_reads_before_it_writes(keys):
    ran = keys("rotate", "--staged")
    assert "hand the keyring out first" in ran.out
    assert states(keys) == ["primary", "staged"]
    assert keys("enable", listed(keys)["keys"][1]["id"]).status == 0
    assert states(keys) == ["enabled", "primary"]


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_a_keyset_for_tink_is_written_for_its_owner_alone(keys, place, binary):
    from privkit.keys.tink import export_tink

    out = place / "tink.keyset"
    ran = keys("export-tink", "customer.email", "tink.keyset", *(["--binary"] if binary else []))
    assert ran.status == 0
    assert "in clear" in ran.out
    keyset = export_tink(Keyring.open(place / "keyring.json")["customer.email"])
    assert out.read_bytes() == (keyset.to_binary() if binary else keyset.to_json().encode())
    assert out.stat().st_mode & 0o777 == 0o600
    assert json.loads(keyset.to_json())["key"][0]["keyData"]["value"] not in ran.out + ran.err


def test_a_keyset_replaces_nothing(keys, place):
    before = (place / "keyring.json").read_bytes()
    assert "does not exist" in keys("export-tink", "customer.email", "keyring.json").failed()
    assert "cannot write nowhere/at/all" in keys("export-tink", "customer.email", "nowhere/at/all").failed()
    assert (place / "keyring.json").read_bytes() == before
    told = json.loads(keys("export-tink", "customer.email", "new", "--json").out)
    assert told == {"out": "new", "primary": listed(keys)["keys"][0]["id"]}


def written_for(place, person):
    keyring = Keyring.open(place / "keyring.json")
    keyring.subjects.create([person])
    return keyring


def test_a_person_is_asked_about_and_forgotten(keys, place, monkeypatch):
    assert "has no key" in keys("person", "user:42").out
    keyring = written_for(place, "user:42")
    assert json.loads(keys("person", "user:42", "--json").out) == {"exists": True, "forgotten": None}

    for answers in ("n\n", "", "y\nuser:43\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answers))
        assert keys("forget", "user:42").status != 0
    assert "nobody was forgotten" in keys("forget", "user:42", "--confirm", "user:43").failed()
    assert keyring.subject("user:42").exists

    monkeypatch.setattr("sys.stdin", io.StringIO("y\nuser:42\n"))
    ran = keys("forget", "user:42", "--reason", "account closed")
    assert ran.status == 0
    assert "forgotten on" in ran.out
    assert "user:42" not in ran.out
    when = keyring.subject("user:42").forgotten
    assert json.loads(keys("person", "user:42", "--json").out) == {"exists": False, "forgotten": when.isoformat()}
    assert json.loads(keys("forget", "user:42", "--json").out)["forgotten"] == when.isoformat()


def test_forgetting_who_has_no_key_is_said(keys):
    message = keys("forget", "user:42", "--confirm", "user:42").failed()
    assert "has no key" in message
    assert "user:42" not in message


def test_persons_are_rewrapped_before_a_key_is_destroyed(keys, place):
    written_for(place, "user:42")
    keys("rotate")
    first = listed(keys)["keys"][0]["id"]
    destroy = ("destroy", first, "--confirm", first, "--breaks-stable")
    assert "rewrap" in keys(*destroy).failed()
    assert "1 keys of persons" in keys("rewrap-persons").out
    assert keys(*destroy).status == 0
    assert "has a key" in keys("person", "user:42").out


def test_what_stands_on_a_destroyed_key_is_moved(keys, place):
    keys("rotate")
    first, second = (key["id"] for key in listed(keys)["keys"])
    assert "privkit keys move-stable" in keys("destroy", first, "--confirm", first).failed()
    keys("destroy", first, "--confirm", first, "--breaks-stable")
    ran = keys("move-stable", "customer.phone")
    assert f"customer.phone stands on key {second}" in ran.out
    assert "every other field" in ran.out
    assert "every field not moved by itself stands on key" in keys("move-stable", "--to", second).out
    keyring = Keyring.open(place / "keyring.json")
    assert keyring["customer.phone"].stable_id == keyring["other"].stable_id == int(second, 16)
    assert "was destroyed" in keys("move-stable", "--to", first).failed()
    assert "keyring has no key" in keys("move-stable", "--to", "00000001").failed()
    assert "field name" in keys("move-stable", "customer phone").failed()


def test_a_renamed_field_keeps_its_keys(keys, place):
    assert "client.phone stands for customer.phone" in keys("alias", "client.phone", "customer.phone").out
    assert listed(keys)["aliases"] == {"client.phone": "customer.phone"}
    keyring = Keyring.open(place / "keyring.json")
    assert keyring["client.phone"] == keyring["customer.phone"]
    assert "cannot stand for itself" in keys("alias", "a", "a").failed()
    assert json.loads(keys("unalias", "client.phone", "--json").out)["aliases"] == {}
    assert "no alias" in keys("unalias", "client.phone").failed()


def test_summaries_are_whole(run, place, monkeypatch):
    assert place
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("keys", "--help").out
    assert "move-stable" in shown
    assert "..." not in shown.split("Commands:")[1]
