"""Typed fields against what one would write without privkit: one line for each bar.

    python benchmarks/field_bars.py [--rows 1000000] [--runs 3] [--only token]

All values are distinct, from Arrow to Arrow. Both sides of a ratio run by turns in one process on the same values, in
one thread; a ratio is that of the medians of the CPU time they took, so that a busy machine tells on neither. Peers
that go value by value take a part of the rows, and their time is scaled up.
"""

import argparse
import hmac
import ipaddress
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from faker import Faker

from privkit import FormatPreserving, Generalise, Keyring, Mask, Surrogate, Token, fields
from privkit.fields import divisions
from privkit.fields.checks import id_check
from privkit.fields.digits import luhn_sum
from privkit.policy.inspect import inspect_table
from privkit.transforms import DateShift, Noise
from turns import by_turns

FEW = 20_000
"""How many values a peer takes that goes one by one."""


@dataclass
class Bar:
    """Work of ours, what it is held against, and how: at most or at least so many times as long."""

    work: str
    ours: object
    theirs: object
    bar: float
    most: bool = True
    scale: float = 1.0

    def line(self, runs):
        ours, theirs = by_turns(self.ours, self.theirs, runs)
        theirs *= self.scale
        figure = ours / theirs if self.most else theirs / ours
        held = figure <= self.bar if self.most else figure >= self.bar
        sign, verdict = ("<=" if self.most else ">="), ("held" if held else "MISSED")
        return f"{self.work:<52}{ours:9.3f}{theirs:10.3f}{figure:10.2f} x  {sign} {self.bar:g} x  {verdict}"


def mobiles(rows):
    return pa.array([f"1{30 + number % 70}{number:08}" for number in range(rows)])


def cards(rows):
    bodies = (f"622202{number:09}" for number in range(rows))
    return pa.array([body + str(-luhn_sum(body + "0") % 10) for body in bodies])


def resident_ids(rows):
    codes = divisions.table().codes[~divisions.table().zones()].tolist()
    dates = np.datetime_as_string(np.datetime64("1950-01-01") + np.arange(20_000)).tolist()
    days = [day.replace("-", "") for day in dates]
    bodies = (f"{codes[row % len(codes)]}{days[row % 20_000]}{row // 1000 % 1000:03}" for row in range(rows))
    return pa.array([body + id_check(body) for body in bodies])


def bars(rows, keys):
    phones = mobiles(rows)
    passes = ten_passes(rows)
    for profile in ("display", "waybill", "log", "analytics"):
        mask = Mask(fields.CN_MOBILE, profile=profile)
        peer = lambda: pc.utf8_replace_slice(phones, 3, 7, "****")  # noqa: E731 - one line
        yield Bar(f"mask {profile}, mobile, to utf8_replace_slice", lambda m=mask: m.protect_many(phones), peer, 4)
    token = Token(keys["mail"], fields.EMAIL)
    for case, mails in e_mails(rows).items():
        few = mails[:FEW].to_pylist()
        loop = lambda m=few: [hmac.digest(b"k" * 32, mail.lower().encode(), "sha256").hex() for mail in m]  # noqa: E731
        yield Bar(
            f"token, e-mail, {case}, to hmac.digest",
            lambda m=mails: token.protect_many(m),
            loop,
            8,
            most=False,
            scale=rows / FEW,
        )
    for name, field, column, bar in (
        ("mobile", fields.CN_MOBILE, phones, 15),
        ("card", fields.BANK_CARD, cards(rows), 15),
        ("resident ID", fields.CN_RESIDENT_ID, resident_ids(rows), 30),
    ):
        fpe = FormatPreserving(field, keys[name.replace(" ", "_")])
        yield Bar(f"fpe, {name}, to ten ECB passes", lambda f=fpe, c=column: f.protect_many(c), passes, bar)
    yield from coarser(rows, passes)
    name = Surrogate(fields.PERSON_NAME, keys["name"])
    names = pa.array([f"王{chr(0x4E00 + row % 20_000)}{chr(0x4E00 + row // 20_000)}" for row in range(rows)])
    fake = Faker("zh_CN")
    calls = lambda: [fake.name() for _ in range(FEW)]  # noqa: E731 - as above
    yield Bar("surrogate, name, to Faker", lambda: name.protect_many(names), calls, 50, most=False, scale=rows / FEW)
    yield from repeated(rows, keys, phones)


def e_mails(rows):
    """Addresses in lower case, all with capitals in name and domain, and as people type them."""
    draw = np.random.default_rng(2)
    names = ("zhang.san", "li_lei", "Han.Meimei", "wang", "user+shop", "Chen-Yu")
    domains = ("qq.com", "163.com", "gmail.com", "Outlook.com", "QQ.COM", "126.com", "sina.com.cn", "foxmail.com")
    chosen = zip(range(rows), draw.integers(len(names), size=rows), draw.integers(len(domains), size=rows), strict=True)
    return {
        "lower case": pa.array([f"zhang.san{number}@zhang.san.com" for number in range(rows)]),
        "capitals in all": pa.array([f"Zhang.San{number}@Zhang.San.com" for number in range(rows)]),
        "as typed": pa.array([f"{names[name]}{number}@{domains[domain]}" for number, name, domain in chosen]),
    }


def repeated(rows, keys, phones):
    """One value in a hundred rows, written out and as a dictionary, beside as many rows that are all different."""
    draw = pa.array(np.random.default_rng(1).integers(rows // 100, size=rows))
    ips = addresses(rows)
    for word, transform, column in (
        ("mask", Mask(fields.CN_MOBILE), phones),
        ("token", Token(keys["phone"], fields.CN_MOBILE), phones),
        ("fpe", FormatPreserving(fields.CN_MOBILE, keys["phone"]), phones),
        ("generalise", Generalise(fields.IP_ADDRESS, to="prefix"), ips),
    ):
        written = pc.take(column, draw)
        for what, few in (("1 % distinct", written), ("dictionary of 1 %", written.dictionary_encode())):
            both = (lambda t=transform, c=few: t.protect_many(c)), (lambda t=transform, c=column: t.protect_many(c))
            yield Bar(f"{word}, {what}, to all distinct", *both, 5, most=False)


def addresses(rows):
    return pa.array([str(ipaddress.IPv4Address(0x0B000000 + row)) for row in range(rows)])


def coarser(rows, passes):
    """Five million values a second is 0.2 us a value: ten times the floor of ten ECB passes, 0.020 us."""
    dates = pa.array(np.datetime_as_string(np.datetime64("1600-01-01") + np.arange(rows) % 150_000))
    ips = addresses(rows)
    codes = pa.array([f"{code:06}" for code in np.resize(divisions.table().codes, rows).tolist()])
    for name, transform, column in (
        ("birth date to year", Generalise(fields.BIRTH_DATE, to="year"), dates),
        ("IP to prefix", Generalise(fields.IP_ADDRESS, to="prefix"), ips),
        ("division to city", Generalise(fields.CN_DIVISION, to="city"), codes),
    ):
        yield Bar(f"generalise {name}, to ten ECB passes", lambda t=transform, c=column: t.protect_many(c), passes, 10)


def ten_passes(rows):
    """Ten AES blocks a value, in passes over 16,384 values as FF1's ten rounds go."""
    block, out = bytes(16 * 16_384), bytearray(16 * 16_384 + 15)
    ecb = Cipher(algorithms.AES256(bytes(32)), modes.ECB()).encryptor()  # noqa: S305 - the block cipher itself

    def work():
        for _ in range(10 * rows // 16_384):
            ecb.update_into(block, out)

    return work


def alone(rows, keys):
    """Work that has no peer: seconds of CPU."""
    ids = pa.array([f"user:{row % (rows // 5)}" for row in range(rows)])
    days = pa.array(np.datetime64("1990-01-01", "D") + np.arange(rows) % 20_000)
    amounts = pa.array([f"{row % 90_000}.{row % 100:02}" for row in range(rows)])
    spaced = pa.array([f"2026-01-{row % 28 + 1:02} 03:{row % 60:02}:05" for row in range(rows)])
    table = {f"column {at}": mobiles(10_000) for at in range(50)} | {f"field {at}": cards(10_000) for at in range(50)}
    shift, noise = DateShift(fields.DATE, keys["shift"], days=30), Noise(fields.AMOUNT, keys["amount"], scale=5)
    phones = mobiles(rows).to_pylist()
    dialled = pa.array([f"+86 {phone[:3]}-{phone[3:7]}-{phone[7:]}" for phone in phones])
    slashed = pa.array([f"{1950 + row % 60}/{row % 12 + 1}/{row % 28 + 1}" for row in range(rows)])
    written = "+86 138-1234-5678"
    yield f"mask, mobiles written {written}", lambda: Mask(fields.CN_MOBILE).protect_many(dialled)
    yield (
        f"fpe, mobiles written {written}",
        lambda: FormatPreserving(fields.CN_MOBILE, keys["dialled"]).protect_many(dialled),
    )
    yield "mask, days written 1990/1/2, which repeat", lambda: Mask(fields.BIRTH_DATE).protect_many(slashed)
    yield "date shift, date32", lambda: shift.protect_many(days, subject=ids)
    yield "noise, amounts as text", lambda: noise.protect_many(amounts, subject=ids)
    yield "time stamps with a space, to the day", lambda: Generalise(fields.TIMESTAMP, to="day").protect_many(spaced)
    yield "inspect, 100 columns of 10,000 rows (bar: 5 s)", lambda: inspect_table(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="only work with this in its name")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        keys = Keyring.create(Path(folder) / "keyring.json")
        print(f"{'work':<52}{'ours s':>9}{'theirs s':>10}{'ratio':>10}")
        for bar in bars(said.rows, keys):
            if said.only in bar.work:
                print(bar.line(said.runs), flush=True)
        for work, run in alone(said.rows, keys):
            if said.only in work:
                start = time.process_time()
                run()
                print(f"{work:<52}{time.process_time() - start:9.3f}", flush=True)


if __name__ == "__main__":
    main()
