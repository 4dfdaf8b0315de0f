"""Writing proposals down as a policy, in which nothing is given away."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privkit.policy.inspect.proposal import Proposal

VIEW: Final = "draft"
"""The name of the view in a draft."""
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_UNPRINTED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def draft(subject: str, rows: int, proposals: Sequence[Proposal]) -> str:
    """Write a policy: a field for each column, and a view that drops every one.

    Args:
        subject: What was inspected, or `""`.
        rows: How many rows were looked at.
        proposals: What was found, a proposal for each column.

    Returns:
        TOML that `Policy.loads` takes. Why a type is proposed stands beside it as a comment.
    """
    of = f" of {subject}" if subject else ""
    head = [
        f"# A draft, proposed by privkit inspect from {rows:,} rows{of}. Read it before you use it:",
        "# 1. Check each type, first those marked low or medium.",
        "# 2. Rename the view for its purpose, and say what it gives of each field, such as",
        '#    "token", "mask", "fpe", "encrypt" or "keep". Until you do, it gives nothing.',
        "# 以下为草案：请先核对每个字段的类型，再逐一决定视图给出什么；未决定的字段一律不给出（drop）。",
    ]
    lines = [_comment(line) for line in head]
    for proposal in proposals:
        lines += ["", *_field(proposal)]
    lines += ["", f"[views.{VIEW}]", 'title = "Nothing is decided yet"', "", f"[views.{VIEW}.fields]"]
    lines += [f'{_key(proposal.column)} = "drop"{_warning(proposal)}' for proposal in proposals]
    return "\n".join(lines) + "\n"


def _field(proposal: Proposal) -> list[str]:
    others = f"; or {', '.join(proposal.others)}" if proposal.others else ""
    kind = proposal.type
    return [
        _comment(f"# {kind.title}, {kind.title_zh}: {proposal.level} ({proposal.confidence:.2f}){others}"),
        _comment(f"# {proposal.reason()}"),
        f"[fields.{_key(proposal.column)}]",
        f'type = "{kind.name}"',
    ]


def _warning(proposal: Proposal) -> str:
    return "" if proposal.type.releasable else "  # it can be nothing else: this type is never released"


def _key(name: str) -> str:
    """A name as a TOML key: bare where it may be, else quoted, with JSON's escapes, which TOML has too."""
    return name if _BARE.fullmatch(name) else _UNPRINTED.sub(_escaped, json.dumps(name, ensure_ascii=False))


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04X}"


def _comment(line: str) -> str:
    """A comment must stay on its line whatever a file is called."""
    return _UNPRINTED.sub("\N{REPLACEMENT CHARACTER}", line)
