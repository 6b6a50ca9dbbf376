"""Expressions of sweep files: right where they have a value, and always at an end."""

from __future__ import annotations

import math
import random

import pytest

from planner.fields import FieldError
from planner.sweeps.arithmetic import FUNCTIONS, MAX_LENGTH, evaluate, parse

X = {"x": 2.0, "y": 3.5}
REFUSED = [
    *("9**9**9**9", "x**x**x**x**x**x", "2**" * 160 + "2", "9" * 490, "9" * 480 + "**9", "1e309"),
    *("min(1e309, 5)", "max(5, 1e309 - 1e309)", "1/0", "x/(y - y)", "0**-1", "0.0**(0 - 1)"),
    *("(-1)**.5", "abs((-1)**.5)", "(-1)**.5 * (-1)**.5", "(0-x)**.5", "sqrt(-1)", "log(0)"),
    *("exp(1e9)", "1e308*10", "-" * 10 + "1e309", "log(-1)", "sqrt(0 - x)", "1e308 + 1e308"),
    *("min()", "min(1)", "abs(1, 2)", "sqrt()", "exp(1, 2)", "max(x)", "log(8, 2)"),
    *("min(*x)", "'a'*9", "x.real", "[1]", "(x:=3)", "1\n+2", "\x00", "#", "", "  ", "1;2"),
    *("x if x else y", "True", "...", "max(1, 2, key=x)", "1e5j", "x == y", "x and y", "~x"),
    *("x // y", "x % y", "x @ y", "lambda: 1", "{x: y}", "f'{x}'", "__import__('os')", "x[0]"),
    *("1__0", "\ud800", "1or 2", "0x1for x in x", "1if 2else 3", "(" * 250 + "1" + ")" * 249),
    *("1+" * 500_000 + "1", "(" * 1_000_000, "x" * 1_000_000, "-" * 1_000_000 + "1"),
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text[:20]))
@pytest.mark.filterwarnings("error")
def test_what_has_no_value_is_refused_in_words(text: str) -> None:
    with pytest.raises(FieldError) as refused:
        evaluate(parse(text), X)
    assert len(refused.value.message) < MAX_LENGTH * 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("231 * 0.93**(x - 2)", 231.0), ("-x**2", -4.0), ("2**-1", 0.5),
        ("min(x, y) + max(x, 1, y)", 5.5),
        ("-" * 400 + "1", 1.0), ("1" + "+1" * 249, 250.0), ("(" * 190 + "1" + ")" * 190, 1.0),
        ("1_000 + 0x10", 1016.0), ("abs(-3) * sqrt(16) + log(exp(1))", 13.0),
        ("1e-320 * 1e-320", 0.0),
    ],
)  # fmt: skip
def test_what_has_a_value_has_that(text: str, value: float) -> None:
    assert evaluate(parse(text), X) == pytest.approx(value, rel=1e-12)


def written(rnd: random.Random, depth: int) -> str:
    """An expression at random."""
    if depth == 0:
        return rnd.choice(["x", "y", f"{rnd.uniform(0, 9):.3f}", str(rnd.randint(0, 12))])
    one, two = written(rnd, depth - 1), written(rnd, rnd.randrange(depth))
    return rnd.choice([
        f"({one} + {two})", f"({one} - {two})", f"{one} * {two}", f"({one}) / ({two})",
        f"-({one})", f"({one})**({two})", f"min({one}, {two})", f"max({one}, {two}, 1)",
        f"abs({one})", f"sqrt({one})", f"exp({one})", f"log({one})",
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_random_expressions_are_what_python_makes_of_them(seed: int) -> None:
    rnd = random.Random(seed)
    for _ in range(5):
        text = written(rnd, rnd.randint(1, 5))
        if len(text) > MAX_LENGTH:
            continue
        try:
            right = eval(text, {"__builtins__": {}, **FUNCTIONS, **X})
            real = not isinstance(right, complex) and math.isfinite(right)
        except (ArithmeticError, ValueError, TypeError):
            real = False
        try:
            value = evaluate(parse(text), X)
        except FieldError:
            continue  # a part may be too large, complex or not finite: then no value is right
        assert real, text
        assert value == pytest.approx(float(right), rel=1e-9)
