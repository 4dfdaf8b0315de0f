"""The nearest right name, for error messages about a wrong one."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or which there are.

    Returns:
        `"; did you mean 'x'?"`, or `"; there are: a, b, c"` where none is near, or `""` where there are none.

    Example:
        >>> nearest("tokn", ["token", "mask"])
        "; did you mean 'token'?"
    """
    names = sorted(map(str, known))
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else ""
