"""FF1 as the standard states it, over any block cipher: what the kernels are held against."""

import math

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def plain_ff1(key: bytes, radix: int, numerals: list[int], tweak: bytes, algorithm: type = algorithms.AES) -> list[int]:
    """SP 800-38G, algorithm 7, step by step and with no thought of speed."""
    n, t = len(numerals), len(tweak)
    u, v = n // 2, n - n // 2
    a, b = numerals[:u], numerals[u:]
    width = 0
    while 256**width < radix**v:
        width += 1
    d = 4 * math.ceil(width / 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    p += n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(10):
        q = tweak + bytes((-t - width - 1) % 16) + bytes([i]) + num(b, radix).to_bytes(width, "big")
        encryptor = Cipher(algorithm(key), modes.CBC(bytes(16))).encryptor()
        r = encryptor.update(p + q)[-16:]
        s, j = r, 1
        while len(s) < d:
            block = (int.from_bytes(r, "big") ^ j).to_bytes(16, "big")
            s += Cipher(algorithm(key), modes.CBC(bytes(16))).encryptor().update(block)
            j += 1
        m = u if i % 2 == 0 else v
        c = (num(a, radix) + int.from_bytes(s[:d], "big")) % radix**m
        a, b = b, [c // radix**k % radix for k in reversed(range(m))]
    return a + b


def num(numerals: list[int], radix: int) -> int:
    return sum(numeral * radix**place for place, numeral in enumerate(reversed(numerals)))
