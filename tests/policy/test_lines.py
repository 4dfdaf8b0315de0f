import tomllib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from privkit.policy.lines import line_of

DOCUMENT = '''\
unknown = "drop"

[fields.mobile] # the phone
type = "cn_mobile"

[fields]
email.type = "email"
"order id" = { type = "order_number" }
'客户.姓名' = { type = "person_name" }

[fields.note]
title = """
type = "not this one"
"""
type = "free_text"

[views]
courier.fields.mobile = "mask"
[views.analytics.fields]
mobile = "token"
email = { transform = "mask", profile = "log" }
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("unknown",), 1),
        (("fields",), 3),
        (("fields", "mobile"), 3),
        (("fields", "mobile", "type"), 4),
        (("fields", "mobile", "key"), 3),
        (("fields", "email", "type"), 7),
        (("fields", "order id", "type"), 8),
        (("fields", "客户.姓名"), 9),
        (("fields", "note", "title"), 12),
        (("fields", "note", "type"), 15),
        (("views", "courier", "fields", "mobile"), 18),
        (("views", "analytics"), 19),
        (("views", "analytics", "fields", "mobile"), 20),
        (("views", "analytics", "fields", "email", "profile"), 21),
        (("views", "partner", "fields"), 17),
        (("elsewhere",), 0),
        ((), 0),
    ],
)
def test_a_path_is_found_however_it_is_said(path, line):
    tomllib.loads(DOCUMENT)
    assert line_of(DOCUMENT, path) == line


def test_headers_of_arrays_of_tables_are_headers():
    assert line_of("[[fields]]\ntype = 1", ["fields", "type"]) == 2


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_text_has_some_line_or_none(text, path):
    assert 0 <= line_of(text, path) <= len(text.splitlines())


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x7f", min_codepoint=32), min_size=1))
def test_quoted_names_are_found(name):
    assume(name != "x")  # which is there already
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    document = f'[fields]\nx = 1\n"{quoted}" = 2\n'
    assert tomllib.loads(document)["fields"][name] == 2
    if len(document.splitlines()) == 3:
        assert line_of(document, ["fields", name]) == 3
