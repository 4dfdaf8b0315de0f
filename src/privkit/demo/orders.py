"""The columns that belong to one order: what was bought, paid, sent, said and looked at."""

import functools
import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from privkit.demo.draw import Draws, Indices, digits, joined, text
from privkit.demo.words import LISTS, Pool, shared

_FIRST_DAY = np.datetime64("2025-01-01")
_FIRST_SECOND = int(_FIRST_DAY.astype("datetime64[s]").astype(np.int64))
_DAYS = 365
_DAY_SECONDS = 86_400
_DAY_DIGITS = np.frombuffer(
    "".join(np.datetime_as_string(_FIRST_DAY + np.arange(_DAYS)).tolist()).replace("-", "").encode(), dtype=np.uint8
).reshape(-1, 8)
# How much is bought in each hour of a day, from midnight.
_HOURS = [26, 14, 8, 5, 4, 5, 10, 18, 30, 46, 58, 55, 50, 48, 47, 48, 49, 47, 48, 58, 72, 80, 70, 46]
_BY_HOUR = np.concatenate([[0.0], np.cumsum(_HOURS)]) / sum(_HOURS)


def columns(draws: Draws, numbers: NDArray[np.uint64], rows: int) -> dict[str, pa.Array]:
    """Return all order columns by name, without nulls.

    Args:
        draws: The draws over order numbers.
        numbers: The order numbers, from 0.
        rows: How many orders there are in all; they fill a year.
    """
    seconds = _order_seconds(draws, numbers, rows)
    courier = _COURIERS.indices(draws, "courier")
    return {
        "order_id": _order_ids(seconds // _DAY_SECONDS, numbers),
        "order_time": pa.array((seconds + _FIRST_SECOND) * 1000).view(pa.timestamp("ms")),
        "amount": _amounts(draws),
        "payment_method": _PAYMENTS.draw(draws, "payment"),
        "courier": _COURIERS.at(courier),
        "tracking_number": joined(_TRACKING.take(pa.array(courier)), text(digits(draws.long("tracking", 13), 13))),
        "review": _reviews(draws),
        "ip_address": _ip_addresses(draws),
        "stay_seconds": _stays(draws),
        "search_words": _searches(draws),
    }


def _order_seconds(draws: Draws, numbers: NDArray[np.uint64], rows: int) -> Indices:
    """Return ascending times in seconds from the first day's midnight, more in the evening than at night."""
    days = (numbers + draws.uniform("moment")) * (_DAYS / max(rows, 1))
    whole = np.floor(days)
    hours = np.interp(days - whole, _BY_HOUR, np.arange(25))
    return np.minimum(whole * _DAY_SECONDS + hours * 3600, _DAYS * _DAY_SECONDS - 1).astype(np.int64)


_STEP = 7_368_787  # no multiple of 2 or 5: the serial numbers are a permutation of ten digits


def _order_ids(days: Indices, numbers: NDArray[np.uint64]) -> pa.Array:
    """Return the day and a ten-digit serial number that no two orders share."""
    serial = (numbers.view(np.int64) % 10**10 * _STEP + 3_141_592_653) % 10**10
    return text(np.hstack([_DAY_DIGITS[days], digits(serial, 10)]))


_PRICES = np.exp(np.linspace(np.log(9.9), np.log(900), 1 << 12))
_ENDINGS = np.array([0, 0, 90, 90, 90, 99, 50, 80, 88])
_LARGE_SHARE = 0.03


def _amounts(draws: Draws) -> pa.Array:
    """Return prices from 9 to 900 yuan, few of them much more, that end as prices do."""
    yuan = _PRICES[(draws.below("price", 64) + draws.below("price 2", 64)) * 32]
    yuan = np.floor(np.where(draws.chance("large", _LARGE_SHARE), yuan * 12.5, yuan))
    cents = _ENDINGS[draws.below("ending", len(_ENDINGS))]
    cents = np.where(draws.chance("coupon", 0.25), draws.below("cents", 100), cents)
    halves = np.zeros((len(yuan), 2), dtype=np.int64)  # a decimal128 is 16 bytes, the lower half first
    halves[:, 0] = yuan.astype(np.int64) * 100 + cents
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(yuan), [None, pa.py_buffer(halves)])


_PAYMENTS = Pool.of(LISTS["payments"])
_COURIERS = Pool.of(LISTS["couriers"])
_TRACKING = pa.array([LISTS["tracking"][courier] for courier in LISTS["couriers"]], pa.string())

_STOCK_SHARE = 0.35


@functools.cache
def _review_pool() -> Pool:
    """Return whole reviews: stock phrases, and ours in every combination."""
    own = LISTS["reviews"]
    composed = map("".join, itertools.product(own["openings"], own["middles"], own["closings"]))
    phrases = LISTS["stock_reviews"]
    stock = {review: _STOCK_SHARE * weight / sum(phrases.values()) for review, weight in phrases.items()}
    return Pool.of(stock | shared((composed, 1 - _STOCK_SHARE)))


def _reviews(draws: Draws) -> pa.Array:
    return _review_pool().draw(draws, "review")


# First bytes of blocks that APNIC gave to Chinese networks, and the IPv6 prefixes of the three large ones.
_CHINA = (36, 39, 42, 58, 59, 60, 61, 101, 106, *range(110, 126), 171, 175, 180, 182, 183, 202, *range(218, 224))
_FIRST_BYTES = pa.array([str(byte) for byte in _CHINA], pa.string())
_BYTES = pa.array([str(byte) for byte in range(256)], pa.string())
_LAST_BYTES = pa.array([str(byte) for byte in range(1, 255)], pa.string())
_V6_PREFIXES = pa.array(["2408:84", "2409:89", "240e:3a", "240e:45"], pa.string())
_HEX_BYTES = pa.array([f"{byte:02x}" for byte in range(256)], pa.string())
_HEX_WORDS = pa.array([f"{word:x}" for word in range(1, 1 << 16)], pa.string())
_V6_SHARE = 0.08


def _ip_addresses(draws: Draws) -> pa.Array:
    bits = draws.bits("ip")
    parts = [_take(_FIRST_BYTES, bits >> np.uint64(48)), _take(_BYTES, bits >> np.uint64(40))]
    parts += [_take(_BYTES, bits >> np.uint64(32)), _take(_LAST_BYTES, bits & np.uint64(0xFFFF))]
    fourth = pc.binary_join_element_wise(*parts, ".")
    newer = draws.chance("ip version", _V6_SHARE)
    return pc.replace_with_mask(fourth, pa.array(newer), _sixth(draws, newer))


def _sixth(draws: Draws, where: NDArray[np.bool_]) -> pa.Array:
    """Return IPv6 addresses for the rows of the mask, half of them with their zeros left out."""
    high, low = draws.bits("ip 6 network")[where], draws.bits("ip 6 host")[where]
    groups = [_take(_HEX_WORDS, part >> np.uint64(shift)) for part in (high, low) for shift in (48, 32, 16)]
    network = joined(_take(_V6_PREFIXES, high & np.uint64(0xFF)), _take(_HEX_BYTES, high >> np.uint64(8)))
    full = pc.binary_join_element_wise(network, *groups, ":")
    short = joined(pc.binary_join_element_wise(network, *groups[:3], ":"), "::", groups[5])
    return pc.if_else(pa.array((low & np.uint64(1)).astype(np.bool_)), short, full)


def _take(texts: pa.Array, numbers: NDArray[np.uint64]) -> pa.Array:
    return texts.take(pa.array(numbers % np.uint64(len(texts))))


_STAYS = np.exp(np.linspace(np.log(2), np.log(1800), 1 << 12))


def _stays(draws: Draws) -> pa.Array:
    """Return seconds on the page, from 2 to half an hour."""
    return pa.array(_STAYS[draws.below("stay", 2048) + draws.below("stay 2", 2048)].astype(np.int32))


@functools.cache
def _search_pool() -> Pool:
    things = LISTS["search"]["things"]
    pairs = map(" ".join, itertools.product(things, LISTS["search"]["qualities"]))
    return Pool.of(shared((things, 0.42), (pairs, 0.53), ([""], 0.05)))


def _searches(draws: Draws) -> pa.Array:
    return _search_pool().draw(draws, "search")


CUSTOMERS_PER_ORDER = 0.4
_SKEW = 1.25  # 1 would give every customer the same number of orders on average


def customer_numbers(draws: Draws, rows: int) -> NDArray[np.uint64]:
    """Return who ordered: some two and a half orders a customer, more for a few of them."""
    customers = max(1, round(rows * CUSTOMERS_PER_ORDER))
    return np.floor(draws.uniform("customer") ** _SKEW * customers).astype(np.uint64)
