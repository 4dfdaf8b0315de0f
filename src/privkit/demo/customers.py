"""The columns that belong to a customer, the same in each of their orders.

`columns(draws)` takes draws over customer numbers and returns arrays without nulls, but where a column says nothing of
most people. Identifiers are valid by their check rules; numbers of bank cards and devices only look like real ones.
"""

import functools
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from privkit.demo import places, words
from privkit.demo.draw import Draws, Indices, Weighted, base64, digits, hexadecimal, joined, luhn, text
from privkit.demo.words import LISTS, Pool, shared

_MALE_SHARE = 0.46
_BORN_WHERE_THEY_LIVE = 0.72
_TODAY = np.datetime64("2025-01-01")
_FIRST_BIRTHDAY = np.datetime64("1940-01-01")
_ZERO = np.uint8(48)
_EPOCH = np.datetime64("1970-01-01")

# Customers by age: five-year bands from 16 to 80, in percent.
_AGE_WEIGHTS = Weighted.of(np.repeat([7, 17, 20, 18, 13, 8, 6, 4.5, 3, 1.8, 1, 0.5, 0.2], 5))
_YOUNGEST = 16

# GB 11643, which takes ISO 7064 MOD 11-2: weights of the 17 digits, and check characters by the sum modulo 11.
_RIC_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_RIC_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Person:
    """What several columns of a customer must agree on.

    Attributes:
        draws: The draws over customer numbers.
        home: Position of the home county in `places.counties()`.
        origin: Position of the county that the ID was issued in.
        male: Their sex.
        birthday: Days since 1970-01-01.
        first, second: Positions of the parts of the name in `words.name_pools()`.
        ethnicity: Their people.
    """

    draws: Draws
    home: Indices
    origin: Indices
    male: NDArray[np.bool_]
    birthday: Indices
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    ethnicity: pa.Array

    @classmethod
    def drawn(cls, draws: Draws) -> "Person":
        """Draw the persons behind customer numbers."""
        counties = places.counties()
        home = draws.weighted("home", counties.weights)
        origin = np.where(
            draws.chance("stayed", _BORN_WHERE_THEY_LIVE), home, draws.weighted("origin", counties.weights)
        )
        male = draws.chance("male", _MALE_SHARE)
        years = _YOUNGEST + draws.weighted("age", _AGE_WEIGHTS)
        days = (years * 365.2425 + draws.below("birthday", 365)).astype(np.int64)
        ethnicities = words.ethnicities()
        people = ethnicities.indices(draws, "ethnicity", counties.provinces[origin])
        groups = words.naming_groups()[people] + ~male
        firsts, seconds = words.name_pools()
        return cls(
            draws=draws,
            home=home,
            origin=origin,
            male=male,
            birthday=(_TODAY - _EPOCH).astype(np.int64) - days,
            first=firsts.indices(draws, "first name", groups),
            second=seconds.indices(draws, "second name", groups),
            ethnicity=ethnicities.at(people),
        )


def columns(draws: Draws) -> dict[str, pa.Array]:
    """Return all customer columns by name."""
    person = Person.drawn(draws)
    return {**_identity(person), **_contact(person), **_address(person), **_account(person), **_device(draws)} | {
        "face_template": text(np.hstack([base64(draws.bits(f"face {part}")) for part in range(4)])),
        "health_note": _HEALTH.draw(draws, "health"),
        "religion": _religion(person),
    }


def _identity(person: Person) -> dict[str, pa.Array]:
    firsts, seconds = words.name_pools()
    return {
        "customer_name": joined(firsts.at(person.first), seconds.at(person.second)),
        "gender": _GENDERS.at(person.male.astype(np.int8)),
        "birth_date": pa.array(person.birthday.astype(np.int32)).view(pa.date32()),
        "ethnicity": person.ethnicity,
        "resident_id": _resident_id(person),
    }


_GENDERS = Pool.of(["女", "男"])


@functools.cache
def _day_digits() -> NDArray[np.uint8]:
    """Return the days from 1940 as eight ASCII digits each, shape `(days, 8)`."""
    days = np.datetime_as_string(np.arange(_FIRST_BIRTHDAY, _TODAY))
    return np.frombuffer("".join(days.tolist()).replace("-", "").encode(), dtype=np.uint8).reshape(-1, 8)


def _resident_id(person: Person) -> pa.Array:
    """Build 18-digit IDs: area, date, a sequence number odd for men, check character (GB 11643)."""
    sequence = person.draws.below("sequence", 500) * 2 + person.male
    rows = np.empty((len(sequence), 18), dtype=np.uint8)
    rows[:, :6] = digits(places.counties().codes, 6)[person.origin]
    rows[:, 6:14] = _day_digits()[person.birthday - (_FIRST_BIRTHDAY - _EPOCH).astype(np.int64)]
    rows[:, 14:17] = digits(sequence, 3)
    total = np.zeros(len(rows), dtype=np.int64)
    for column, weight in enumerate(_RIC_WEIGHTS):
        total += (rows[:, column] - _ZERO).astype(np.int64) * weight
    rows[:, 17] = _RIC_CHECKS[total % 11]
    return text(rows)


def _contact(person: Person) -> dict[str, pa.Array]:
    draws = person.draws
    return {
        "mobile": joined(_MOBILE_PREFIXES.draw(draws, "mobile prefix"), text(digits(draws.long("mobile", 8), 8))),
        "email": _email(person),
        "landline": _landline(person),
    }


_MOBILE_PREFIXES = Pool.of(
    shared(*((LISTS["mobile"][operator], share) for operator, share in LISTS["operators"].items()))
)
_DOMAINS = Pool.of(
    {"@qq.com": 52},
    {
        "@163.com": 42, "@126.com": 11, "@foxmail.com": 9, "@sina.com": 8, "@gmail.com": 8, "@outlook.com": 7,
        "@139.com": 5, "@hotmail.com": 3, "@189.cn": 3, "@sohu.com": 2, "@aliyun.com": 2,
    },
)  # fmt: skip
_QQ_SHARE = 0.45


def _email(person: Person) -> pa.Array:
    """Spell the name and add a number, or take a QQ number."""
    draws = person.draws
    named = ~draws.chance("qq", _QQ_SHARE)
    firsts, seconds = words.spelt_pools()
    # A QQ number has five to ten digits; after a name stand a birth year, two or three digits.
    year = person.birthday // 365 + 1970
    added = np.where(draws.chance("year in e-mail", 0.4), year, draws.below("number in e-mail", 990) + 10)
    qq = draws.below("qq number", 1 << 31) + 10_000
    number = pc.cast(pa.array(np.where(named, added, qq)), pa.string())
    return joined(
        _where(named, firsts, person.first),
        _where(named, seconds, person.second),
        number,
        _DOMAINS.draw(draws, "domain", named.astype(np.int8)),
    )


def _where(mask: NDArray[np.bool_], texts: pa.Array, indices: NDArray[np.int32]) -> pa.Array:
    """Return the texts at these indices, and empty texts where the mask is false."""
    extended = pa.concat_arrays([texts, pa.array([""], pa.string())])
    return extended.take(pa.array(np.where(mask, indices, len(texts))))


@functools.cache
def _diallings() -> tuple[Pool, NDArray[np.bool_]]:
    """Return area codes by province with the dash after them, and which of them have eight-digit numbers."""
    codes = [{f"{code}-": 1.0 for code, _ in province.dialling} for province in places.PROVINCES.values()]
    long = [length == 8 for province in places.PROVINCES.values() for _, length in province.dialling]  # noqa: PLR2004
    return Pool.of(*codes), np.array(long)


def _landline(person: Person) -> pa.Array:
    pool, long = _diallings()
    chosen = pool.indices(person.draws, "area code", places.counties().provinces[person.home])
    number = digits(20_000_000 + person.draws.below("landline", 70_000_000), 8)
    lengths = np.where(long[chosen], 8, 7)
    number[:, 1] = np.where(lengths == 7, number[:, 0], number[:, 1])  # noqa: PLR2004 -- seven begin with 2 to 8 too
    return joined(pool.at(chosen), text(number, lengths))


def _address(person: Person) -> dict[str, pa.Array]:
    draws, counties = person.draws, places.counties()
    home = pa.array(person.home)
    kinds = draws.weighted("address kind", places.ADDRESS_KINDS)
    detail = joined(
        places.streets().draw(draws, "street", kinds),
        places.buildings().draw(draws, "building", kinds),
        places.rooms().draw(draws, "room", kinds),
    )
    zone = counties.codes[person.home] // 100 % 100 % 10 * 1000 + draws.below("postcode", 10) * 100
    prefixes = np.array([int(province.postcode) for province in places.PROVINCES.values()])
    postcode = prefixes[counties.provinces[person.home]] * 10_000 + zone
    return {
        "province": counties.province.take(home),
        "city": counties.city.take(home),
        "county": counties.county.take(home),
        "address_detail": detail,
        "postcode": text(digits(postcode, 6)),
    }


_NICKNAMES = [mood + who for mood in LISTS["account"]["moods"] for who in LISTS["account"]["who"]]
_USER_NAMES = Pool.of(shared((LISTS["account"]["handles"], 0.5), (_NICKNAMES, 0.5)))
_NAMED_USER_SHARE = 0.3


def _account(person: Person) -> dict[str, pa.Array]:
    draws = person.draws
    named = draws.chance("user name is a name", _NAMED_USER_SHARE)
    firsts, seconds = words.spelt_pools()
    handles = _USER_NAMES.texts
    handle = _where(~named, handles, _USER_NAMES.indices(draws, "user name"))
    number = pc.cast(pa.array(draws.below("user number", 9_990_000) + 10_000), pa.string())
    first, second = _where(named, firsts, person.first), _where(named, seconds, person.second)
    salted = np.hstack([hexadecimal(draws.bits(f"password {part}")) for part in range(3)])
    return {
        "user_name": joined(handle, first, second, number),
        "password": joined("pbkdf2$", text(salted)),
        "bank_card": _bank_card(draws),
    }


# Customary issuer prefixes of UnionPay cards: debit cards of 19 digits, credit cards of 16.
_DEBIT_BINS = np.array([622202, 621226, 622848, 622845, 621700, 622700, 621661, 621785, 622262, 621799, 622188, 622609])
_CREDIT_BINS = np.array(
    [622575, 622576, 622230, 622836, 625955, 622760, 622252, 622155, 625160, 622658, 622689, 622916]
)
_CREDIT_SHARE = 0.3


def _bank_card(draws: Draws) -> pa.Array:
    """Build card numbers that pass Luhn; shorter ones stand at the right, after zeros that do not count."""
    credit = draws.chance("credit card", _CREDIT_SHARE)
    which = draws.below("issuer", len(_DEBIT_BINS))
    payload = digits(
        np.where(
            credit,
            _CREDIT_BINS[which] * 10**9 + draws.long("credit account", 9),
            _DEBIT_BINS[which] * 10**12 + draws.long("debit account", 12),
        ),
        18,
    )
    return text(np.column_stack([payload, luhn(payload)]), np.where(credit, 16, 19))


_MODEL_POOL = Pool.of({model: 1 / (2 + rank) for rank, model in enumerate(LISTS["device"]["models"])})
_FIRST_TAC = 86_140_004  # type allocation codes that begin with 86 are China's (TAF); one for each model


def _device(draws: Draws) -> dict[str, pa.Array]:
    model = _MODEL_POOL.indices(draws, "model")
    payload = digits((_FIRST_TAC + 1_117 * model.astype(np.int64)) * 10**6 + draws.below("imei", 10**6), 14)
    halves = [hexadecimal(draws.bits("oaid 1")), hexadecimal(draws.bits("oaid 2"))]
    oaid = np.full((len(draws), 36), ord("-"), dtype=np.uint8)
    joins = [column for column in range(36) if column not in (8, 13, 18, 23)]  # where RFC 9562 puts the dashes
    oaid[:, joins] = np.hstack(halves)
    return {
        "imei": text(np.column_stack([payload, luhn(payload)])),
        "oaid": text(oaid),
        "device_model": _MODEL_POOL.at(model),
    }


def _sparse(*groups: dict[str | None, float]) -> Pool:
    """Build a pool in which null can be drawn too."""
    texts = [text for group in groups for text in group]
    numbered = [{f"{place}": share for place, share in enumerate(group.values())} for group in groups]
    return Pool(pa.array(texts, pa.string()), Pool.of(*numbered).tables)


_NOTES = {note: 0.1 / len(LISTS["other"]["health"]) for note in LISTS["other"]["health"]}
_HEALTH = _sparse({"无": 0.52, None: 0.36, "": 0.02, **_NOTES})
_RELIGIONS = _sparse(
    {None: 0.62, "无": 0.33, "佛教": 0.025, "道教": 0.005, "基督教": 0.015, "天主教": 0.005},
    {None: 0.6, "伊斯兰教": 0.4},
    {None: 0.6, "藏传佛教": 0.4},
)
_BELIEFS = {"维吾尔族": 1, "回族": 1, "哈萨克族": 1, "藏族": 2}


def _religion(person: Person) -> pa.Array:
    codes = pc.index_in(person.ethnicity, pa.array(list(_BELIEFS))).fill_null(len(_BELIEFS)).to_numpy()
    return _RELIGIONS.draw(person.draws, "religion", np.array([*_BELIEFS.values(), 0])[codes])
