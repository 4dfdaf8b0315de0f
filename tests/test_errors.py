"""Errors on their way between processes: all that they say, and no more, arrives."""

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from privkit import errors
from privkit.lowlevel import AesSiv

WITH_ATTRIBUTES = [
    errors.InvalidValue("too long"),
    errors.InvalidValue("too long", field_type="cn_mobile", rows=range(30), count=40, column="phone"),
    errors.DomainTooSmall("10 values < 1,000,000 needed", rows=[1, 2]),
    errors.DecryptionFailed(),
    errors.DecryptionFailed([3, 5], column="phone"),
    errors.SubjectForgotten("the key was destroyed", rows=[4]),
    errors.PolicyError("no such view", source="policy.toml", line=7, path=("views", "analytics")),
    errors.MissingExtra("reading Parquet", extra="arrow"),
]


def all_errors() -> list[errors.PrivkitError]:
    """The errors above, and one of each class that is not among them."""
    here = {type(error) for error in WITH_ATTRIBUTES}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.PrivkitError)]
    return [*WITH_ATTRIBUTES, *(kind("what happened") for kind in kinds if kind not in here)]


def in_pickle(error: errors.PrivkitError, protocol: int) -> errors.PrivkitError:
    return pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - what this line itself has written


WAYS: list[Callable[[errors.PrivkitError], errors.PrivkitError]] = [
    copy.copy,
    copy.deepcopy,
    *(lambda error, protocol=protocol: in_pickle(error, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)),
]


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling_and_copying(error: errors.PrivkitError) -> None:
    error.add_note("in the third file")
    for way in WAYS:
        back = way(error)
        assert type(back) is type(error)
        assert (str(back), back.args, vars(back)) == (str(error), error.args, vars(error))
    if isinstance(error, ImportError):
        assert in_pickle(error, pickle.HIGHEST_PROTOCOL).msg == error.msg  # type: ignore[attr-defined]


def decrypt_rubbish() -> bytes:
    return AesSiv(bytes(32)).decrypt(bytes(20))


def test_an_error_of_a_worker_process_arrives_and_the_pool_goes_on() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for _ in range(2):
            with pytest.raises(errors.DecryptionFailed, match="decryption failed"):
                pool.submit(decrypt_rubbish).result()
