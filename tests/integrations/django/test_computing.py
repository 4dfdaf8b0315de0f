"""The database computes nothing from ciphertexts, wherever in a query it is asked to."""

import pytest
from django.db import connections, transaction
from django.db.models import (
    Avg,
    BooleanField,
    Case,
    CharField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import (
    Cast,
    Coalesce,
    Concat,
    FirstValue,
    Greatest,
    Lag,
    Lead,
    Length,
    Lower,
    RowNumber,
    Substr,
    Upper,
)
from django.db.models.lookups import Exact, GreaterThan, IExact

from integrations.django.clinic.models import Person, Visit
from privkit.integrations.django import NotSearchable

pytestmark = pytest.mark.usefixtures("db")

REFUSED = {
    "upper": lambda: Person.objects.annotate(x=Upper("email")),
    "compared": lambda: Person.objects.annotate(x=Lower("email")).filter(x="a@b.cn"),
    "concatenated": lambda: Person.objects.annotate(x=Concat("email", Value("!"), output_field=CharField())),
    "cut": lambda: Person.objects.annotate(x=Substr("email", 1, 3)),
    "measured": lambda: Person.objects.annotate(x=Length("email")),
    "cast": lambda: Person.objects.annotate(x=Cast("email", CharField())),
    "coalesced": lambda: Person.objects.annotate(x=Coalesce("email", "city", output_field=CharField())),
    "greatest": lambda: Person.objects.annotate(x=Greatest("email", "email")),
    "sum": lambda: [Visit.objects.aggregate(Sum("fee"))],
    "average": lambda: [Visit.objects.aggregate(Avg("count"))],
    "most": lambda: [Visit.objects.aggregate(Max("day"))],
    "least of a choice": lambda: [Visit.objects.aggregate(x=Min(Case(When(count=1, then=F("day")))))],
    "sorted by an annotation": lambda: Person.objects.annotate(x=F("email")).order_by("x"),
    "sorted by a subquery": lambda: Visit.objects.order_by(Subquery(Person.objects.values("email")[:1])),
    "window": lambda: Person.objects.annotate(x=Window(RowNumber(), order_by="email")),
    "window down": lambda: Person.objects.annotate(x=Window(RowNumber(), order_by="-email")),
    "plain with encrypted": lambda: Person.objects.filter(city=F("email")),
    "plain among encrypted": lambda: Person.objects.filter(city__in=Person.objects.values("email")),
    "plain below encrypted": lambda: Visit.objects.filter(pk__lt=F("count")),
    "equal by hand": lambda: Person.objects.filter(Exact(F("email"), "a@b.cn")),
    "alike by hand": lambda: Person.objects.filter(IExact(F("email"), "a@b.cn")),
    "greater by hand": lambda: Person.objects.filter(GreaterThan(F("email"), "a@b.cn")),
    "plain and encrypted": lambda: Person.objects.values_list("city").union(Person.objects.values_list("email")),
    "encrypted and plain": lambda: Person.objects.values_list("email").union(Person.objects.values_list("city")),
    "of two keys": lambda: Person.objects.values_list("email").difference(Person.objects.values_list("phone")),
    "among several": lambda: Person.objects.filter(
        email__in=Person.objects.values("email").union(Person.objects.values("city"))
    ),
    "a default in clear": lambda: Person.objects.annotate(x=Window(Lead("email", default=Value("x")), order_by="pk")),
    "a default from another column": lambda: Person.objects.annotate(x=Window(Lag("email", 1, "city"), order_by="pk")),
    "a choice in clear": lambda: Person.objects.annotate(
        x=Case(When(city="x", then=F("email")), default=Value("x"), output_field=Person._meta.get_field("email"))
    ),
    "clear called encrypted": lambda: Person.objects.annotate(
        x=ExpressionWrapper(F("city"), output_field=Person._meta.get_field("email"))
    ),
    "wrapped as a condition": lambda: Visit.objects.filter(ExpressionWrapper(F("urgent"), output_field=BooleanField())),
    "wrapped as text": lambda: Person.objects.annotate(x=ExpressionWrapper(F("email"), output_field=CharField())),
    "chosen as text": lambda: Person.objects.annotate(
        x=Case(When(city="", then=F("email")), default=Value("-"), output_field=CharField())
    ),
    "selected as text": lambda: Visit.objects.annotate(
        x=Subquery(Person.objects.values("email")[:1], output_field=CharField())
    ),
    "added": lambda: Visit.objects.annotate(x=ExpressionWrapper(F("count") + 1, output_field=IntegerField())),
    "added up": lambda: Visit.objects.filter(pk__gt=F("count") + 1),
    "random by hand": lambda: Person.objects.filter(Exact(F("phone"), "1")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_database_cannot_know_is_refused(db, name):
    Person.objects.create(email="a@b.cn")
    Visit.objects.create(count=1)
    with pytest.raises(NotSearchable), transaction.atomic(using=db):
        list(REFUSED[name]())


def test_what_only_looks_for_equal_values_is_not_refused():
    person = Person.objects.create(email="a@b.cn", city="x")
    Person.objects.create(email="c@b.cn", city="y")
    Visit.objects.create(email="a@b.cn", person=person)
    mine = When(email="a@b.cn", then=1)
    assert Person.objects.aggregate(most=Max(Case(mine, default=0)))["most"] == 1
    assert Person.objects.order_by(Case(mine, default=2)).first().email == "a@b.cn"
    assert Person.objects.aggregate(n=Count("email", distinct=True, filter=Q(email="a@b.cn")))["n"] == 1
    assert Person.objects.annotate(x=Coalesce("email", "email")).get(city="x").x == "a@b.cn"
    assert Person.objects.annotate(x=Case(When(city="y", then=F("email")))).get(city="y").x == "c@b.cn"
    first = Window(FirstValue("email"), order_by="city")
    assert {found.x for found in Person.objects.annotate(x=first)} == {"a@b.cn"}
    assert {n for _, n in Person.objects.values_list("email").annotate(n=Count("pk"))} == {1}
    assert Person.objects.filter(Exists(Visit.objects.filter(email=OuterRef("email")))).get() == person
    assert Person.objects.filter(Exists(Person.objects.values("email"))).count() == 2
    assert Person.objects.annotate(x=F("email")).get(x="a@b.cn") == person
    wrapped = ExpressionWrapper(F("email"), output_field=Person._meta.get_field("email"))
    assert Person.objects.annotate(x=wrapped).get(x="a@b.cn") == person
    assert Person.objects.filter(ExpressionWrapper(Q(email="a@b.cn"), output_field=BooleanField())).get() == person
    assert Person.objects.order_by(F("pk") + F("pk"), Lower("city")).first() == person
    both = Person.objects.filter(city="x").union(Person.objects.filter(email="c@b.cn"))
    assert {one.email for one in both} == {"a@b.cn", "c@b.cn"}
    assert set(both.values_list("email")) == {("a@b.cn",), ("c@b.cn",)}
    nothing = Person.objects.annotate(x=Value(None, CharField())).values_list("x")
    assert set(Person.objects.values_list("email").union(nothing)) == {("a@b.cn",), ("c@b.cn",), (None,)}


def test_a_class_with_sql_of_its_own_for_each_vendor_is_refused_too(db):
    """Whenever it is made."""

    def as_vendor(self, compiler, connection, **extra):
        return self.as_sql(compiler, connection, **extra)

    named = {f"as_{vendor}": as_vendor for vendor in ("sqlite", "postgresql", "mysql")}
    made = {kind: type("Own", (kind,), {**named, "function": "UPPER", "lookup_name": "own"}) for kind in (Func, Exact)}
    for query in (Person.objects.annotate(x=made[Func]("email")), Person.objects.filter(made[Exact](F("email"), "x"))):
        with pytest.raises(NotSearchable), transaction.atomic(using=db):
            list(query)
    assert list(Person.objects.annotate(x=made[Func]("city"))) == []


def test_a_default_that_knows_its_field_is_handed_on(db):
    first, second = (Person.objects.create(email=email) for email in ("a@b.cn", "c@b.cn"))
    default = Value("none@b.cn", output_field=Person._meta.get_field("email"))
    if connections[db].vendor != "mysql":  # MariaDB knows no default there
        following = Person.objects.annotate(x=Window(Lead("email", default=default), order_by="pk"))
        assert {one.pk: one.x for one in following} == {first.pk: "c@b.cn", second.pk: "none@b.cn"}
    either = Person.objects.annotate(x=Case(When(pk=first.pk, then=F("email")), default=default))
    assert {one.pk: one.x for one in either} == {first.pk: "a@b.cn", second.pk: "none@b.cn"}
