import contextvars

import pytest

from privkit import fields
from privkit.errors import InvalidParameter
from privkit.integrations.purposes import FieldViews, Reveal, RevealRefused, current_viewing, on_reveal, reveal_as
from privkit.transforms import Mask


@pytest.fixture
def phone():
    return FieldViews("user.phone", {"service": Mask(fields.CN_MOBILE), "owner": None})


@pytest.fixture
def told():
    seen = []
    take_off = on_reveal(seen.append)
    yield seen
    take_off()


def test_each_view_shows_its_own(phone):
    with reveal_as("service"):
        assert phone.show("13812345678") == "138****5678"
        assert phone.show_many(["13812345678", None]) == ["138****5678", None]
        with reveal_as("owner"):
            assert phone.show("13812345678") == "13812345678"
        assert phone.show(None) is None
        assert phone.show("13812345678") == "138****5678"


def test_outside_nothing_is_shown(phone):
    for attempt in (phone.show, lambda value: phone.show_many([value])):
        with pytest.raises(RevealRefused, match="reveal_as"):
            attempt("13812345678")
        with reveal_as("marketing"), pytest.raises(RevealRefused, match="'marketing'"):
            attempt("13812345678")
    assert current_viewing() is None


def test_a_mask_is_no_way_around_by_predicates(phone):
    with reveal_as("service"), pytest.raises(RevealRefused, match="compare"):
        phone.check_clear("compare")
    with reveal_as("owner"):
        phone.check_clear("compare")


def test_it_holds_for_one_context(phone):
    outside = contextvars.copy_context()
    with reveal_as("owner"), pytest.raises(RevealRefused):
        outside.run(phone.show, "13812345678")


def test_hooks_are_told(phone, told):
    with reveal_as("service", actor="li.lei", purpose="ticket 7"):
        phone.show("13812345678")
        phone.show(None)
        phone.show_many(["13812345678", None, ""])
        phone.show_many([None])
    assert told == [Reveal("user.phone", "service", "li.lei", "ticket 7", count, clear=False) for count in (1, 2)]


def test_a_hook_that_fails_shows_nothing(phone):
    def fail(_):
        raise OSError("log is full")

    take_off = on_reveal(fail)
    try:
        with reveal_as("owner"), pytest.raises(OSError, match="full"):
            phone.show("13812345678")
    finally:
        take_off()
    with reveal_as("owner"):
        assert phone.show("13812345678") == "13812345678"


def test_what_was_loaded_is_forgotten_at_the_end():
    forgotten = []
    with reveal_as("owner") as viewing:
        viewing.on_leaving("session", lambda: forgotten.append(1))
        viewing.on_leaving("session", lambda: forgotten.append(2))
    assert forgotten == [1]


def test_a_field_with_views_has_one():
    with pytest.raises(InvalidParameter):
        FieldViews("a", {})
