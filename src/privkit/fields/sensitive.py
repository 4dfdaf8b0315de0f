"""Field types of what the law calls sensitive: biometrics, health, religion, politics, wealth."""

from __future__ import annotations

from privkit.fields.base import Category, Sensitivity
from privkit.fields.masks import profiles
from privkit.fields.texts import AnyText

BIOMETRIC_TEMPLATE = AnyText(
    name="biometric_template",
    title="Biometric template",
    title_zh="生物特征模板",
    category=Category.BIOMETRIC,
    sensitivity=Sensitivity.HIGH,
    basis="PIPL, article 28 (biometrics); GB/T 35273-2020, annex B and 6.3 c",
    masks=profiles(),
    releasable=False,
)
"""A face, fingerprint or voice template; it is never released in any form."""

HEALTH = AnyText(
    name="health",
    title="Health",
    title_zh="健康信息",
    category=Category.SENSITIVE,
    sensitivity=Sensitivity.SENSITIVE,
    basis="PIPL, article 28 (health); GB/T 35273-2020, annex B",
    masks=profiles(),
)
"""Anything about a person's health."""

RELIGION = AnyText(
    name="religion",
    title="Religion",
    title_zh="宗教信仰",
    category=Category.SENSITIVE,
    sensitivity=Sensitivity.SENSITIVE,
    basis="PIPL, article 28 (religious belief); GB/T 35273-2020, annex B",
    masks=profiles(),
)
"""A religious belief."""

POLITICS = AnyText(
    name="politics",
    title="Political affiliation",
    title_zh="政治面貌",
    category=Category.SENSITIVE,
    sensitivity=Sensitivity.SENSITIVE,
    basis="may lead to discrimination in the sense of PIPL, article 28; GDPR, article 9",
    masks=profiles(),
)
"""A political affiliation or opinion."""

WEALTH = AnyText(
    name="wealth",
    title="Wealth",
    title_zh="财产信息",
    category=Category.SENSITIVE,
    sensitivity=Sensitivity.SENSITIVE,
    basis="PIPL, article 28 (financial accounts); GB/T 35273-2020, annex B (property)",
    masks=profiles(),
)
"""Income, property, credit, debts, in words or figures."""
