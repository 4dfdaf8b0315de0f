from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privkit.errors import InvalidValue, PolicyError
from privkit.policy import Policy, PolicyField, Treatment, View

GOOD = """\
[fields.mobile]
type = "cn_mobile"

[fields.born]
type = "birth_date"

[views.a.fields]
"""

WRONG = [
    # what is wrong, the line, and a piece of the message
    ('unknown = "dorp"', 1, "unknown cannot be 'dorp'; did you mean 'drop'?"),
    ("unknown = true", 1, "unknown of a policy should be text, not true or false"),
    ('feilds = "x"', 1, "a policy has no 'feilds'; did you mean 'fields'?"),
    ("fields = 3", 1, "fields should be a table, not a whole number"),
    ("views = []", 1, "views should be a table, not an array"),
    ("[fields]\nx = 1", 2, "field 'x' should be a table, not a whole number"),
    ('[fields.x]\nkey = "k"', 1, "field 'x': says no type, such as type = \"cn_mobile\""),
    ('[fields.x]\n\ntype = "cn_mobil"', 3, "field 'x': no field type 'cn_mobil'"),
    ('[fields.x]\n\ntype = "cn_mobil"', 3, "did you mean 'cn_mobile'?"),
    ("[fields.x]\ntype = 1", 2, "type of field 'x' should be text, not a whole number"),
    (
        '[fields.x]\ntype = "text"\non_invalid = "supress"',
        3,
        "on_invalid cannot be 'supress'; did you mean 'suppress'?",
    ),
    ('[fields.x]\ntype = "text"\non_invalid = "star"', 3, "on_invalid cannot be 'star'; there are: raise, suppress"),
    ('[fields.x]\ntype = "text"\ntipe = "y"', 3, "field 'x': a field has no 'tipe'; did you mean 'type'?"),
    ('[fields.x]\ntype = "text"\nkey = ""', 3, "key of field 'x' is empty; say one, or leave it out"),
    ('[fields.x]\ntype = ""', 2, "type of field 'x' is empty; say one, or leave it out"),
    ("[views]\na = 1", 2, "view 'a' should be a table, not a whole number"),
    ("[views.a]\nfields = 1", 2, "view 'a': fields should be a table, not a whole number"),
    ("[views.a]\nrecipient = 1", 2, "recipient of view 'a' should be text, not a whole number"),
    ('[views.a]\nrecipient = ""', 2, "view 'a': recipient is empty; name who gets the view, or leave it out"),
    ("[views.a]\n[views.a.anonymous]\nk = 5", 2, "view 'a' has no 'anonymous'; did you mean 'anonymity'?"),
    ("[views.a]\nanonymity = 5", 2, "view 'a': anonymity should be a table, not a whole number"),
    ('[views.a]\nfeilds = "x"', 2, "view 'a' has no 'feilds'; did you mean 'fields'?"),
    (GOOD + 'mobil = "keep"', 8, "view 'a': the policy has no field 'mobil'; did you mean 'mobile'?"),
    (GOOD + 'mobile = "tokn"', 8, "view 'a': field 'mobile': no transform 'tokn'; did you mean 'token'?"),
    (
        GOOD + "mobile = 3",
        8,
        "view 'a': field 'mobile': a treatment is a word, such as \"token\", or a table; got a whole",
    ),
    (GOOD + 'mobile = { profile = "log" }', 8, "view 'a': field 'mobile': a treatment in a table needs its word"),
    (GOOD + "mobile = { transform = 1 }", 8, "view 'a': field 'mobile': a treatment in a table needs its word"),
    (GOOD + 'mobile = { transform = "drop", k = 1 }', 8, "view 'a': field 'mobile': drop takes no parameters"),
    (
        GOOD + 'mobile = { transform = "mask", profle = "log" }',
        8,
        "view 'a': field 'mobile': mask of cn_mobile has no parameter 'profle'; did you mean 'profile'?",
    ),
    (
        GOOD + 'mobile = { transform = "mask", profile = "waybil" }',
        8,
        "view 'a': field 'mobile': cn_mobile has no mask profile 'waybil'; did you mean 'waybill'?",
    ),
    (GOOD + 'mobile = { transform = "mask", profile = 3 }', 8, "profile of mask is text, not a whole number"),
    (GOOD + 'mobile = { transform = "mask", first = "x" }', 8, "first of mask is a whole number, not text"),
    (GOOD + 'mobile = { transform = "mask", first = true }', 8, "first of mask is a whole number, not true or false"),
    (GOOD + 'mobile = { transform = "token", bits = 8 }', 8, "view 'a': field 'mobile': tokens of 8 bits collide"),
    (GOOD + 'mobile = { transform = "token", form = "hexx" }', 8, "no token form 'hexx'; did you mean 'hex'?"),
    (GOOD + 'mobile = { transform = "token", field = "x" }', 8, "token of cn_mobile has no parameter 'field'"),
    (GOOD + 'mobile = { transform = "token", key = "x" }', 8, "token of cn_mobile has no parameter 'key'"),
    (GOOD + 'mobile = { transform = "encrypt", text = "x" }', 8, "text of encrypt is true or false, not text"),
    (GOOD + 'mobile = { transform = "encrypt", text = 1 }', 8, "text of encrypt is true or false, not a whole number"),
    (GOOD + 'mobile = { transform = "fpe", small_domain = 1 }', 8, "small_domain of fpe is true or false"),
    (
        GOOD + 'mobile = { transform = "fpe", kep = "x" }',
        8,
        "fpe of cn_mobile has no parameter 'kep'; did you mean 'keep'?",
    ),
    (GOOD + 'mobile = "generalise"', 8, "generalise of cn_mobile needs the parameter 'to'"),
    (GOOD + 'born = "generalise"', 8, "generalise of birth_date needs the parameter 'to'; there are: "),
    (
        GOOD + 'born = { transform = "generalise", to = "yera" }',
        8,
        "birth_date has no level 'yera'; did you mean 'year'?",
    ),
    (GOOD + 'born = { transform = "generalise", to = 1 }', 8, "to of generalise is text, not a whole number"),
    (
        GOOD + 'born = { transform = "generalise", to = "year", width = 1 }',
        8,
        "generalise of birth_date has no parameter",
    ),
    (GOOD + 'born = "fpe"', 8, "too few for FF1"),
    (GOOD + 'born = "surrogate"', 8, "there are no stand-ins like birth_date"),
    (
        '[fields.p]\ntype = "password"\n[views.a.fields]\np = "token"',
        4,
        "password may not be released in any form; drop it",
    ),
    (
        '[fields.p]\ntype = "password"\n[views.a.fields]\np = "keep"',
        4,
        "password may not be released in any form; drop it",
    ),
    (
        '[fields."order id"]\ntype = "text"\n[views.a.fields]\n"order id" = "token"',
        4,
        'give the field another name for its keys, such as key = "customer.phone"',
    ),
    ("[fields.x", 1, "not TOML: "),
    ("[fields.x]\ntype = ", 2, "not TOML: "),
    ('[fields.x]\ntype = "cn_mobile', 2, "not TOML: "),
    ("[fields.x]\n[fields.x]", 2, "not TOML: "),
]


@pytest.mark.parametrize(("text", "line", "message"), WRONG)
def test_what_is_wrong_is_said_with_its_line(text, line, message, tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        Policy.load(path)
    assert message in str(caught.value)
    assert (caught.value.source, caught.value.line) == (str(path), line)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert "\n" not in str(caught.value)
    with pytest.raises(PolicyError) as again:
        Policy.loads(text)
    assert (again.value.reason, again.value.line, again.value.source) == (caught.value.reason, line, "")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(PolicyError, match=r"none\.toml: cannot be read: no such file or directory$"):
        Policy.load(tmp_path / "none.toml")
    with pytest.raises(PolicyError, match="cannot be read: is a directory"):
        Policy.load(tmp_path)


def test_other_encodings_than_utf_8_are_said_with_their_line(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_bytes('[fields.x]\ntype = "text"\ntitle = "姓名"'.encode("gb18030"))
    with pytest.raises(PolicyError, match=r"policy\.toml:3: not UTF-8; save the policy as UTF-8"):
        Policy.load(path)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert list(Policy.load(path).fields) == ["mobile", "born"]
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode() + b'mobil = "keep"\r\n')
    with pytest.raises(PolicyError, match=r"^.*:8: "):
        Policy.load(path)


def test_nesting_without_end_is_refused():
    with pytest.raises(PolicyError):
        Policy.loads("x = " + "[" * 100_000)


@given(st.text(alphabet="[]{}=.\"'# \nabfieldsvwtp", max_size=60))
def test_any_text_is_a_policy_or_a_policy_error(text):
    with suppress(PolicyError):
        Policy.loads(text)


def test_toml_and_python_say_the_same():
    written = Policy.loads("""
        unknown = "drop"
        [fields]
        mobile = { type = "cn_mobile", key = "customer.phone", on_invalid = "suppress" }
        city = { type = "cn_city" }
        [views.analytics.fields]
        mobile = "token"
        city = "keep"
        [views.courier]
        recipient = "acme"
        title = "Waybills"
        fields.mobile = { transform = "mask", profile = "waybill" }
    """)
    said = Policy(
        fields={"mobile": PolicyField("cn_mobile", key="customer.phone", on_invalid="suppress"), "city": "cn_city"},
        views={
            "analytics": {"mobile": "token", "city": "keep"},
            "courier": View({"mobile": Treatment("mask", profile="waybill")}, recipient="acme", title="Waybills"),
        },
        unknown="drop",
    )
    assert written == said
    assert written.fields["city"].key == "city"
    assert written.views["analytics"].fields["mobile"] == Treatment("token")


def test_a_field_describes_a_type_of_its_own():
    policy = Policy.loads("""
        [fields.member]
        alphabet = "0123456789ABCDEF"
        mask = { first = 2 }
        [fields."\\u4f1a\\u5458\\u53f7"]
        type = "member"
        pattern = "[0-9]{4}"
        sensitivity = "sensitive"
        title = "Member"
        [views.a.fields]
        member = "mask"
    """)
    member, other = policy.fields.values()
    assert (member.type.name, other.type.name, other.title) == ("member", "member", "Member")
    assert other.type.sensitivity == "sensitive"
    assert policy.view("a").apply({"member": ["00FF"]}) == {"member": ["00****"]}
    with pytest.raises(InvalidValue, match="column 'member': not a valid member at row 1: "):
        Policy(policy.fields, {"a": {"member": "keep"}}).view("a").apply({"member": ["00FF", "00FG"]})


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("alphabt = 'ab'", "field 'm': a field has no 'alphabt'; did you mean 'alphabet'?"),
        ("type = 'text'\nalphabet = 'ab'", "field 'm': text is a type of the catalogue and takes no 'alphabet'"),
        ("alphabet = 3", "field 'm': alphabet of a type is text, not a whole number"),
        ("alphabet = 'aa'", "field 'm': type m: an alphabet has two characters or more, each once"),
        ("pattern = '('", "field 'm': type m: the pattern is no regular expression"),
        ("mask = { first = 1 }", "field 'm': type m: an alphabet or a pattern is needed"),
        ("pattern = 'a'\nmask = 'x'", "field 'm': mask of a type is a table, not text"),
        (
            "pattern = 'a'\nmask = { frist = 1 }",
            "field 'm': type m: mask 'display' has no part 'frist'; did you mean 'first'?",
        ),
        ("pattern = 'a'\nmask = { first = 'x' }", "field 'm': type m: mask 'display': first is a whole number"),
        ("pattern = 'a'\nreleasable = 'no'", "field 'm': releasable of a type is true or false, not text"),
        ("pattern = 'a'\ncategory = 'contct'", "field 'm': no category 'contct'; did you mean 'contact'?"),
        ("pattern = 'a'\ncategory = 3", "field 'm': no category '3'"),
        ("pattern = 'a'\ntype = '" + "x" * 99 + "'", "field 'm': the name of a type has 1 to 64 printable characters"),
    ],
)
def test_types_of_the_policy_are_checked(own, message):
    with pytest.raises(PolicyError) as caught:
        Policy.loads(f"[fields.m]\n{own}")
    assert message in str(caught.value)
    assert caught.value.line
