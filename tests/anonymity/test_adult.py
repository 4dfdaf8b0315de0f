"""What is lost on Adult: eight quasi-identifiers, 30,162 records; no figure may become worse."""

import pytest

from anonymity import recode_check as check
from anonymity.tables import adult, adult_labels, needs_adult
from privkit.anonymity import Anonymiser

BARS = {
    "labels": ({}, {2: 0.0225, 5: 0.054, 10: 0.079, 50: 0.152}),
    "sets": ({"output": "sets"}, {2: 0.0062, 5: 0.022, 10: 0.041, 50: 0.110}),
    "thorough": ({"output": "sets", "effort": "thorough"}, {2: 0.0056, 5: 0.020, 10: 0.038, 50: 0.106}),
    "full_domain": (
        {"recoding": "full_domain", "suppression": 0.05},
        {2: 0.1819, 5: 0.2740, 10: 0.3437, 50: 0.4870},
    ),
}


@pytest.fixture(scope="module")
def data():
    return adult()


@needs_adult
@pytest.mark.parametrize("k", [2, 5, 10, 50])
@pytest.mark.parametrize("shape", BARS)
def test_loss_of_k_alone(data, shape, k):
    table, hierarchies = data
    quasi = list(hierarchies)
    parameters, bars = BARS[shape]
    plan = Anonymiser(hierarchies, k=k, **parameters).fit(table)
    out = plan.apply(table)
    labels = {name: adult_labels(table, name) for name in quasi} if shape in {"labels", "full_domain"} else None
    assert check.k_of(out, quasi) == plan.report.k >= k
    found = check.gcp_of(table, out, quasi, out["tag"], labels)
    assert found == pytest.approx(plan.report.gcp, abs=1e-7)
    assert found <= bars[k]
    assert plan.report.suppressed <= (0.05 * 30_162 if shape == "full_domain" else 0)


@needs_adult
@pytest.mark.parametrize("asked", [{"l": 2}, {"t": 0.3}])
@pytest.mark.parametrize("shape", ["labels", "sets", "full_domain"])
def test_with_sensitive_values(data, shape, asked):
    table, hierarchies = data
    quasi, salary = list(hierarchies), "salary-class"
    parameters, _ = BARS[shape]
    plan = Anonymiser(hierarchies, sensitive=[salary], k=5, **asked, **parameters).fit(table)
    out = plan.apply(table)
    assert check.k_of(out, quasi) >= 5
    if "l" in asked:
        assert check.distinct_of(out, quasi, salary) >= 2
    else:
        assert check.t_of(out, quasi, salary, table[salary], ordered=False) <= 0.3 + 1e-9
        assert check.t_of(out, quasi, salary, ordered=False) <= 0.3 + 1e-9
