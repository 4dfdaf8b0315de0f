"""`privkit fields`: the catalogue, for people and for programs."""

import json

from click.testing import CliRunner

from privkit import fields
from privkit.cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, ["fields", *arguments])


def test_every_type_has_a_line_of_its_own_in_a_pipe():
    shown = run().output.splitlines()
    assert [line.split()[0] for line in shown] == ["type", *fields.CATALOGUE]
    assert not any("hierarchy" in line for line in shown)


def test_programs_get_all_of_it():
    told = {kind["name"]: kind for kind in json.loads(run("--json").output)}
    assert set(told) == set(fields.CATALOGUE)
    mobile, name = told["cn_mobile"], told["person_name"]
    assert mobile["masks"] == ["analytics", "display", "log", "waybill"]
    assert mobile["levels"] == ["hierarchy"]
    assert (mobile["format_preserving"], mobile["surrogate"]) == (True, False)
    assert (name["format_preserving"], name["surrogate"]) == (False, True)
    assert all(kind["basis"] and kind["title_zh"] for kind in told.values())
