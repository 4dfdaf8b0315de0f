"""The admin masks in lists, reveals by permission, and says duplicates in the form."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from integrations.django.clinic.models import Person, Visit
from privkit.integrations.django.admin import revealed

pytestmark = pytest.mark.usefixtures("db")

EMAIL = "zhang.wei@example.cn"
PHONE = "13812345678"
SECRETS = (EMAIL, PHONE, "sees a doctor", "visitor@example.cn")


@pytest.fixture
def person(db):  # noqa: ARG001 - it comes first
    person = Person.objects.create(email=EMAIL, phone=PHONE, note="sees a doctor", city="Jinan")
    Visit.objects.create(person=person, email="visitor@example.cn")
    return person


def staff(*codenames):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


ALL = ("view_person", "change_person", "add_person", "view_visit", "change_visit", "add_visit")


def page_of(person):
    return f"/admin/clinic/person/{person.pk}/change/"


def form(**given):
    inline = {"visits-TOTAL_FORMS": 0, "visits-INITIAL_FORMS": 0}
    return {"email": "", "phone": "", "note": "", "city": "", **inline, **given}


def test_the_permission_is_there_after_migrate():
    assert Permission.objects.filter(codename="reveal_person", content_type__app_label="clinic").count() == 1


@pytest.mark.parametrize("more", [(), ("reveal_person",)])
def test_lists_are_masked_for_everybody(person, more):
    page = staff(*ALL, *more).get("/admin/clinic/person/").content.decode()
    assert "138****5678" in page
    assert page_of(person) in page
    assert "Jinan" in page
    assert not [secret for secret in SECRETS if secret in page]


@pytest.mark.parametrize("permissions", [ALL, ("view_person", "view_visit")])
def test_a_row_is_masked_without_the_permission(person, permissions):
    page = staff(*permissions).get(page_of(person)).content.decode()
    assert "138****5678" in page
    assert not [secret for secret in SECRETS if secret in page]


@pytest.mark.parametrize("permissions", [ALL, ("view_person", "view_visit")])
def test_a_row_is_shown_with_the_permission_and_the_hook_is_told(person, permissions):
    told = []

    def listen(sender, user, instance, fields, **_):
        told.append((sender, user.username, instance.pk, fields))

    revealed.connect(listen)
    try:
        page = staff(*permissions, "reveal_person", "reveal_visit").get(page_of(person)).content.decode()
    finally:
        revealed.disconnect(listen)
    assert not [secret for secret in SECRETS if secret not in page]
    assert told[0] == (Person, "staff", person.pk, ["email", "phone", "note"])
    assert [(sender, "email" in names) for sender, _, _, names in told[1:]] == [(Visit, True)]


def test_what_is_masked_cannot_be_changed_by_a_forged_request(person):
    client = staff(*ALL)
    assert (
        client.post(page_of(person), form(email="x@example.cn", phone="1", note="2", city="Ji'an")).status_code == 302
    )
    person.refresh_from_db()
    assert (person.email, person.phone, person.note, person.city) == (EMAIL, PHONE, "sees a doctor", "Ji'an")


def test_with_the_permission_a_row_is_changed(person):
    client = staff(*ALL, "reveal_person")
    assert client.post(page_of(person), form(email="x@example.cn", phone="1", note="2")).status_code == 302
    person.refresh_from_db()
    assert (person.email, person.phone, person.note) == ("x@example.cn", "1", "2")


@pytest.mark.parametrize("email", [EMAIL])
def test_a_duplicate_is_an_error_of_the_form(person, email):
    answer = staff(*ALL).post("/admin/clinic/person/add/", form(email=email))
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()
    assert Person.objects.get().pk == person.pk


def test_the_inner_field_validates():
    answer = staff(*ALL).post("/admin/clinic/person/add/", form(email="no address", phone="1" * 21))
    page = answer.content.decode()
    assert "valid email address" in page
    assert "at most 20 characters" in page


@pytest.mark.usefixtures("person")
def test_a_blank_form_is_null_and_many_may_be():
    client = staff(*ALL)
    for _ in range(2):
        assert client.post("/admin/clinic/person/add/", form()).status_code == 302
    assert Person.objects.filter(email=None).count() == 2


@pytest.mark.parametrize(("more", "found"), [((), 0), (("reveal_person",), 1)])
def test_only_who_may_reveal_can_search_by_value(person, more, found):
    Person.objects.create(city=EMAIL)
    page = staff(*ALL, *more).get("/admin/clinic/person/", {"q": EMAIL}).content.decode()
    assert (page_of(person) in page) == bool(found)
    assert "1 person" in page or "2 persons" in page


@pytest.mark.usefixtures("person")
def test_only_who_may_reveal_can_filter_by_value():
    client = staff(*ALL)
    for lookup in ("email", "email__exact", "email__in", "email__isnull"):
        answer = client.get("/admin/clinic/person/", {lookup: EMAIL})
        assert answer.status_code == 400
    User.objects.get().user_permissions.add(Permission.objects.get(codename="reveal_person"))
    assert client.get("/admin/clinic/person/", {"email": EMAIL}).status_code == 200
