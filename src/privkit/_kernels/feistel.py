"""The Feistel network of FF1 (NIST SP 800-38G, March 2016, section 5.1), once, and its lane on plain integers.

A *lane* is a representation of the two halves of a value: Python integers here, which take any size; arrays of
`uint64` in `words`, which take columns. Both run the same `feistel`, and both directions are the same rounds: a
decryption walks them backwards, subtracts where an encryption adds, and sees the halves the other way round.

AES itself runs in constant time (OpenSSL on the AES unit). The arithmetic around it does not: Python's big integers
and the conversions from and to text take a time that depends on the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from privkit._kernels.blocks import BLOCK
from privkit.errors import DomainTooSmall, InvalidParameter, InvalidValue

if TYPE_CHECKING:
    from privkit._kernels.blocks import BlockCipher

ROUNDS = 10
"""SP 800-38G, section 5.1: FF1 has ten rounds."""

MIN_DOMAIN = 1_000_000
"""The fewest values FF1 may permute: SP 800-38G Rev. 1, second public draft (February 2025)."""

MIN_RADIX, MAX_RADIX = 2, 2**16
"""SP 800-38G, section 5.1: radix in [2 .. 2^16]."""

MAX_LENGTH = 16_384
"""The longest numeral string taken. The standard allows 2^32 - 1 numerals; the work grows with the square of the
length, and at this cap one value takes 4 to 50 milliseconds, the more the larger the radix."""

MAX_TWEAK = 2**32 - 1
"""The longest tweak in bytes: step 5 writes its length into four bytes."""

Sign = Literal[1, -1]
Half = TypeVar("Half")


class Mix(Protocol[Half]):
    """One round on some representation of the halves."""

    def __call__(self, i: int, moving: Half, still: Half, sign: Sign) -> Half:
        """Return `(moving + sign * F(i, still)) mod radix^m`, with m = u in even rounds and v in odd ones."""


def feistel(a: Half, b: Half, mix: Mix[Half], *, decrypt: bool) -> tuple[Half, Half]:
    """Run the ten rounds: step 6 of algorithms 7 (FF1.Encrypt) and 8 (FF1.Decrypt).

    Algorithm 8 is algorithm 7 with the rounds backwards, the halves exchanged before and after, and a minus.

    Args:
        a: The left half, u numerals as a number (or a column of them).
        b: The right half, v numerals.
        mix: Steps 6.i to 6.vi of one round.
        decrypt: The direction.

    Returns:
        The two halves, left first.
    """
    if decrypt:
        for i in reversed(range(ROUNDS)):
            a, b = mix(i, b, a, -1), a
    else:
        for i in range(ROUNDS):
            a, b = b, mix(i, a, b, 1)  # 6.viii, 6.ix
    return a, b


class Shape:
    """What FF1 computes from radix and length alone, checked once.

    Attributes:
        radix: How many numerals there are.
        length: n, the numerals of a value.
        left: u, the numerals of the left half.
        right: v, those of the right half; u or u + 1.
        moduli: radix^u and radix^v.
        number_bytes: b, the bytes of a right half.
        digest_bytes: d, the bytes of pseudorandom output that a round uses.
    """

    __slots__ = ("digest_bytes", "left", "length", "moduli", "number_bytes", "radix", "right")

    def __init__(self, radix: int, length: int) -> None:
        """Check and compute.

        Raises:
            InvalidParameter: If the radix is out of bounds.
            InvalidValue: If the length is above `MAX_LENGTH`.
            DomainTooSmall: If there are fewer than 1,000,000 strings of that length.
        """
        if not MIN_RADIX <= radix <= MAX_RADIX:
            raise InvalidParameter(f"radix {radix}; FF1 takes {MIN_RADIX} to {MAX_RADIX}")
        if length > MAX_LENGTH:
            raise InvalidValue(too_long(length))
        if length < shortest(radix):
            raise DomainTooSmall(too_short(length, radix))
        self.radix, self.length = radix, length
        self.left = length // 2  # step 1
        self.right = length - self.left
        self.moduli = radix**self.left, radix**self.right
        # Step 3: b = ceil(ceil(v log2 radix) / 8), in integers; a float's log2 is wrong for some (radix 256, v = 29).
        self.number_bytes = ((self.moduli[1] - 1).bit_length() + 7) // 8
        self.digest_bytes = 4 * ((self.number_bytes + 3) // 4) + 4  # step 4

    def fixed(self, tweak_bytes: int) -> tuple[bytes, bytes]:
        """What stands before and after the tweak in P || Q, up to the byte of the round number (steps 5 and 6.i).

        Raises:
            InvalidParameter: If the tweak is too long.
        """
        if tweak_bytes > MAX_TWEAK:
            raise InvalidParameter(f"tweak of {tweak_bytes} bytes; at most {MAX_TWEAK} are taken")
        header = (
            b"\x01\x02\x01"
            + self.radix.to_bytes(3, "big")
            + b"\x0a"
            + (self.left % 256).to_bytes(1, "big")
            + self.length.to_bytes(4, "big")
            + tweak_bytes.to_bytes(4, "big")
        )
        return header, bytes((-tweak_bytes - self.number_bytes - 1) % BLOCK)


def shortest(radix: int) -> int:
    """How many numerals a value needs at least, so that there are 1,000,000 values or more."""
    length, domain = 2, radix * radix  # SP 800-38G: minlen >= 2
    while domain < MIN_DOMAIN:
        length, domain = length + 1, domain * radix
    return length


def too_short(length: int, radix: int) -> str:
    """Say that a value is too short."""
    return (
        f"too short for FF1: {length} < {shortest(radix)} numerals at radix {radix}, fewer than {MIN_DOMAIN:,} values; "
        "take a keyed permutation of the small domain instead"
    )


def too_long(length: int) -> str:
    """Say that a value is too long."""
    return f"too long for FF1: {length} numerals, where at most {MAX_LENGTH} are taken"


class Schedule:
    """One key, shape and tweak, ready for rounds on plain integers: the lane that takes everything.

    P || Q is fed to a CBC-MAC. All of it before the block that holds the round number is the same in every round and
    for every value, so it is computed here, once; where the right half fits behind the round number into one block
    and one block of digest is enough (b <= 12), a round costs one block of AES.

    Attributes:
        shape: Radix and length.
        base: The chaining value with the end of the tweak and the zeros xored in, as a number of 128 bits.
    """

    __slots__ = ("_backwards", "_chain", "_cipher", "_forwards", "_head", "base", "shape")

    def __init__(self, cipher: BlockCipher, shape: Shape, tweak: bytes) -> None:
        header, zeros = shape.fixed(len(tweak))
        fixed = header + tweak + zeros
        whole = len(fixed) // BLOCK * BLOCK
        self._cipher, self.shape = cipher, shape
        self._chain = cbc_mac(cipher, 0, fixed[:whole])
        self._head = fixed[whole:]  # of the block with the round number: shorter than a block
        self.base = self._chain ^ int.from_bytes(self._head.ljust(BLOCK, b"\0"), "big")
        number_bits = 8 * shape.number_bytes
        self._forwards = [(self.base ^ (i << number_bits), shape.moduli[i & 1]) for i in range(ROUNDS)]
        self._backwards = self._forwards[::-1]

    def crypt(self, a: int, b: int, *, decrypt: bool) -> tuple[int, int]:
        """Run the rounds on one value, given and returned as its two halves."""
        if self.shape.digest_bytes > BLOCK:
            return self.crypt_long(a, b, decrypt=decrypt)
        return self._crypt_short(a, b, decrypt=decrypt)

    def _crypt_short(self, a: int, b: int, *, decrypt: bool) -> tuple[int, int]:
        """Do what `crypt_long` does where a round is one block (d <= 16, and so b <= 12), at a third of its cost.

        The loop of `feistel` is spelled out here, once for each sign, since a call per round would take as long as the
        cipher does, and a multiplication by the sign a tenth of a round.
        """
        encrypt, number, shift = self._cipher.function(), int.from_bytes, 8 * (BLOCK - self.shape.digest_bytes)
        if decrypt:
            for base, modulus in self._backwards:
                b, a = a, (b - (number(encrypt((base ^ a).to_bytes(16))) >> shift)) % modulus
        else:
            for base, modulus in self._forwards:
                a, b = b, (a + (number(encrypt((base ^ b).to_bytes(16))) >> shift)) % modulus
        return a, b

    def crypt_long(self, a: int, b: int, *, decrypt: bool) -> tuple[int, int]:
        """Run the rounds on one value of any size, given and returned as its two halves."""
        return feistel(a, b, self._mix, decrypt=decrypt)

    def _mix(self, i: int, moving: int, still: int, sign: Sign) -> int:
        shape = self.shape
        tail = self._head + bytes((i,)) + still.to_bytes(shape.number_bytes, "big")  # 6.i
        digest = cbc_mac(self._cipher, self._chain, tail)  # 6.ii
        more = (shape.digest_bytes - 1) // BLOCK
        counters = b"".join((digest ^ j).to_bytes(BLOCK, "big") for j in range(1, more + 1))  # 6.iii
        stream = digest.to_bytes(BLOCK, "big") + self._cipher.encrypt_block(counters)
        y = int.from_bytes(stream[: shape.digest_bytes], "big")  # 6.iv
        moved: int = (moving + sign * y) % shape.moduli[i & 1]  # 6.v to 6.vii
        return moved


def cbc_mac(cipher: BlockCipher, chain: int, data: bytes) -> int:
    """PRF of SP 800-38G, algorithm 6, continued from a chaining value over whole blocks."""
    for start in range(0, len(data), BLOCK):
        block = chain ^ int.from_bytes(data[start : start + BLOCK], "big")
        chain = int.from_bytes(cipher.encrypt_block(block.to_bytes(BLOCK, "big")), "big")
    return chain
