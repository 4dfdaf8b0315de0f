"""Lookups that ciphertexts can answer are answered; all others raise and say why."""

import pytest
from django.core.exceptions import FieldError
from django.db import transaction
from django.db.models import Case, Count, F, Max, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat, Upper

from integrations.django.clinic.models import Person, Visit
from integrations.django.test_columns import VALUES
from privkit.errors import InvalidValue, PrivkitError
from privkit.integrations.django import NotSearchable, WouldWritePlaintext

pytestmark = pytest.mark.usefixtures("db")


@pytest.mark.parametrize("name", [name for name in VALUES if Visit._meta.get_field(name).deterministic])
def test_equality_finds_the_row(name):
    visit = Visit.objects.create(**{name: VALUES[name]})
    Visit.objects.create()
    assert Visit.objects.get(**{name: VALUES[name]}).pk == visit.pk
    assert Visit.objects.get(**{f"{name}__in": [VALUES[name], None]}).pk == visit.pk
    assert Visit.objects.get(**{f"{name}__isnull": False}).pk == visit.pk
    assert Visit.objects.exclude(**{name: VALUES[name]}).count() == 1


@pytest.mark.parametrize(("written", "asked"), [("1.5", "1.50"), ("0", "-0.00"), ("100", "1E2")])
def test_equal_decimals_are_found_whatever_their_spelling(written, asked):
    from decimal import Decimal

    Visit.objects.create(fee=Decimal(written))
    assert Visit.objects.filter(fee=Decimal(asked)).count() == 1


def test_equal_moments_are_found_whatever_their_zone():
    import datetime as dt
    from zoneinfo import ZoneInfo

    moment = dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC)
    Visit.objects.create(at=moment)
    assert Visit.objects.filter(at=moment.astimezone(ZoneInfo("Asia/Shanghai"))).count() == 1


def test_none_and_the_empty_string_are_two_things():
    Person.objects.create(email=None)
    Person.objects.create(email="")
    assert Person.objects.filter(email="").count() == 1
    assert Person.objects.filter(email=None).count() == 1
    assert Person.objects.filter(email__in=["", None]).count() == 1
    assert Person.objects.filter(Q(email="") | Q(email__isnull=True)).count() == 2


def test_joins_subqueries_and_aliases():
    person = Person.objects.create(email="a@b.cn", phone="1")
    Visit.objects.create(person=person, email="a@b.cn")
    Visit.objects.create(email="x@b.cn")
    assert Visit.objects.get(person__email="a@b.cn").email == "a@b.cn"
    assert Person.objects.get(visits__email__in=["a@b.cn"]).pk == person.pk
    assert Visit.objects.filter(email__in=Person.objects.values("email")).count() == 1
    assert Visit.objects.filter(email=F("person__email")).count() == 1
    Visit.objects.create(person=person, email="y@b.cn")
    Visit.objects.create(person=person, email="z@b.cn")
    assert Visit.objects.filter(email__in=[F("person__email"), "y@b.cn"]).count() == 2
    Visit.objects.filter(email__in=["y@b.cn", "z@b.cn"]).delete()
    owner = Person.objects.filter(email=OuterRef("email")).values("phone")[:1]
    assert list(Visit.objects.annotate(phone=Subquery(owner)).order_by("pk").values_list("phone", flat=True)) == [
        "1",
        None,
    ]
    assert Visit.objects.alias(mail=F("email")).filter(mail="x@b.cn").count() == 1


def test_grouping_and_counting():
    for email in ("a@b.cn", "a@b.cn", "c@b.cn"):
        Visit.objects.create(email=email)
    counted = Visit.objects.values("email").annotate(n=Count("pk")).values_list("email", "n")
    assert dict(counted) == {"a@b.cn": 2, "c@b.cn": 1}
    assert Visit.objects.aggregate(n=Count("email", distinct=True)) == {"n": 2}


LOOKUPS = [
    "iexact",
    "contains",
    "icontains",
    "startswith",
    "gt",
    "gte",
    "lt",
    "lte",
    "range",
    "regex",
    "year",
    "upper",
    "nonsense",
]


@pytest.mark.parametrize("lookup", LOOKUPS)
@pytest.mark.parametrize("name", ["email", "phone"])
def test_other_lookups_say_why_they_cannot(name, lookup):
    with pytest.raises(NotSearchable, match=rf"clinic\.Person\.{name}.*ciphertexts"):
        Person.objects.filter(**{f"{name}__{lookup}": "a"})


@pytest.mark.parametrize("lookup", ["exact", "in"])
def test_a_randomised_column_cannot_be_compared(lookup):
    with pytest.raises(NotSearchable, match="deterministic=True"):
        Person.objects.filter(**{f"phone__{lookup}": ["1"]})
    assert issubclass(NotSearchable, FieldError)
    assert issubclass(NotSearchable, PrivkitError)


@pytest.mark.parametrize(
    "other",
    [F("city"), F("note"), Upper("email"), Value("a@b.cn"), Concat("city", "city")],
    ids=str,
)
def test_a_comparison_with_what_is_no_ciphertext_of_the_column_is_refused(other):
    with pytest.raises(FieldError):
        str(Person.objects.filter(email=other).query)
    with pytest.raises(FieldError):
        str(Person.objects.filter(email__in=[other]).query)


def test_a_subquery_over_another_column_is_refused():
    with pytest.raises(NotSearchable):
        Person.objects.filter(email__in=Person.objects.values("city"))


@pytest.mark.parametrize(
    "order", ["email", "-phone", F("email"), F("note").desc(nulls_last=True), Coalesce("email", "email")]
)
def test_sorting_is_refused(order):
    with pytest.raises(NotSearchable, match="order of ciphertexts"):
        list(Person.objects.order_by(order))


def test_sorting_by_a_relation_or_an_alias_is_refused():
    with pytest.raises(NotSearchable):
        list(Visit.objects.order_by("person__email"))
    with pytest.raises(NotSearchable):
        list(Person.objects.annotate(mail=F("email")).order_by("mail"))


@pytest.mark.parametrize("function", [Max, Min])
def test_extremes_are_refused(function):
    with pytest.raises(NotSearchable):
        Person.objects.aggregate(function("email"))
    assert Person.objects.aggregate(n=function("city")) == {"n": None}
    assert list(Person.objects.order_by("city", F("pk").desc())) == []


EXPRESSIONS = {
    "function": Upper("city"),
    "plain column": F("city"),
    "another key": F("phone"),
    "plain value": Value("x"),
    "one branch": Case(When(city="a", then=F("email")), default=F("city")),
    "subquery": Subquery(Person.objects.values("email")[:1]),
    "of itself": Upper("email"),
    "concatenated": Concat("email", Value("x")),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_the_database_computes_is_not_written(db, name):
    Person.objects.create(email="a@b.cn", city="a")
    with pytest.raises(FieldError), transaction.atomic(using=db):
        Person.objects.update(email=EXPRESSIONS[name])
    person = Person.objects.get()
    person.email = EXPRESSIONS[name]
    with pytest.raises(FieldError), transaction.atomic(using=db):
        person.save()
    assert Person.objects.get().email == "a@b.cn"


@pytest.mark.parametrize("expression", [Value("x"), Upper(Value("x"))])
def test_what_the_database_computes_is_not_inserted(db, expression):
    with pytest.raises(WouldWritePlaintext), transaction.atomic(using=db):
        Person.objects.create(note=expression)
    with pytest.raises(WouldWritePlaintext), transaction.atomic(using=db):
        Person.objects.bulk_create([Person(note=expression)])


def test_a_branch_with_a_plain_value_says_what_to_write():
    with pytest.raises(WouldWritePlaintext, match=r"output_field=Person\._meta\.get_field\('email'\)"):
        Person.objects.update(email=Case(When(city="a", then=Value("c@b.cn")), default=F("email")))


def test_what_gives_the_columns_own_ciphertexts_is_written():
    field = Person._meta.get_field("email")
    Person.objects.create(email="a@b.cn", city="a")
    Person.objects.create(email="b@b.cn", city="b")
    Person.objects.update(email=F("email"))
    Person.objects.update(email=Case(When(city="a", then=Value("c@b.cn", output_field=field)), default=F("email")))
    assert set(Person.objects.values_list("email", flat=True)) == {"c@b.cn", "b@b.cn"}
    Person.objects.update(email=Value(None))
    assert Person.objects.filter(email=None).count() == 2


def test_errors_do_not_show_the_value():
    for name, wrong in {
        "count": "secret",
        "fee": "secret",
        "day": "secret",
        "code": "secret",
        "findings": {"secret": object()},
    }.items():
        with pytest.raises(InvalidValue) as refused:
            Visit._meta.get_field(name).get_prep_value(wrong)
        assert "secret" not in str(refused.value)
        assert f"clinic.Visit.{name}" in str(refused.value)
        assert refused.value.__suppress_context__
