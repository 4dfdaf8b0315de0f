"""Field types of accounts: user name, password, security answer."""

from __future__ import annotations

from privkit.fields.base import Category, Sensitivity
from privkit.fields.masks import Keep, profiles
from privkit.fields.texts import AnyText, TidyText

_OPENS = "GB/T 35273-2020, annex B (authentication); it opens an account"

USER_NAME = TidyText(
    name="user_name",
    title="User name",
    title_zh="用户名",
    category=Category.ACCOUNT,
    basis="GB/T 35273-2020, annex A",
    masks=profiles(display=Keep(1, 1, 4, 1), waybill=Keep(1, 0, 4, 1)),
)
"""The name of an account, `sunny_2020`."""

PASSWORD = AnyText(
    name="password",
    title="Password",
    title_zh="密码",
    category=Category.ACCOUNT,
    sensitivity=Sensitivity.HIGH,
    basis=_OPENS,
    masks=profiles(),
    releasable=False,
)
"""A password; it is never released in any form."""

SECURITY_ANSWER = AnyText(
    name="security_answer",
    title="Security answer",
    title_zh="密保答案",
    category=Category.ACCOUNT,
    sensitivity=Sensitivity.HIGH,
    basis=_OPENS,
    masks=profiles(),
    releasable=False,
)
"""The answer to a security question; it is never released in any form."""
