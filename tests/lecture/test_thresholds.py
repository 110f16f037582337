"""What matters: every claim is weighed by the effect that its words name, and by no other."""

import ast
import inspect
import math
import sys
import textwrap

import pytest

from tfcourse.lecture import ledger

SAID = {
    "A tenth ": 0.1,
    "A twentieth ": 0.05,
    "A hundredth ": 0.01,
    "A quarter of ": 0.25,
    "A slope of a quarter": 0.25,
    "A quarter fewer ": math.log(1.25),  # of ratios, by their logarithms
    "Half the ": math.log(2),
    "Five of a hundred ": 0.05,
    "Five percentage points ": 0.05,
    "One percentage point ": 0.01,
}
SEVERAL = {"bn.hidden-shift", "bn.moving-average-lags", "bn.sigmoid-region"}
"""Claims that name more than one."""


def thresholds(claim):
    """What a check compares intervals with: given to `weighed` or `within`, or a name below 0."""
    module = sys.modules[claim.module]
    names = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(claim.check)))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("weighed"):
            names.add(ast.unparse(node.args[1]))
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "within":
            names.add(ast.unparse(node.args[0]))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            names |= {node.operand.id} if isinstance(node.operand, ast.Name) else set()
    return {eval(name, vars(module)) for name in names}


WEIGHED = [c for c in ledger.claims() if c.check and c.matters and c.id not in SEVERAL]


@pytest.mark.parametrize("claim", WEIGHED, ids=lambda claim: claim.id)
def test_a_claim_is_weighed_by_what_it_says_matters(claim):
    found = thresholds(claim)
    said = [value for words, value in SAID.items() if claim.matters.startswith(words)]
    if found:
        assert found == set(said) and len(said) == 1


def test_claims_that_name_one_effect_are_most_of_those_that_are_trained_for():
    assert sum(bool(thresholds(claim)) for claim in WEIGHED) > 20
