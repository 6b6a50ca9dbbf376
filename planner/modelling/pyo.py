"""The words of Pyomo that components write: variables, rows and expressions, as declarations.

A component imports this module as `pyo` and writes `b.power_mw = pyo.Var(time.steps)`, as it would
in Pyomo; what receives the declaration realises it, as arrays or in Pyomo. The last index of a
variable or row is most often the step, and its rule is then called once with a vector of steps.

A declaration that a block has received is indexed like what it became. Components of other
packages may write `import pyomo.environ as pyo` instead: the whole model is then built in Pyomo,
which takes longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

Rule = Callable[..., Any]


class Domain(NamedTuple):
    """What values a variable may take: the name of the domain in Pyomo, its limits."""

    name: str
    low: float | None = None
    high: float | None = None
    integer: bool = False


Reals = Domain("Reals")
NonNegativeReals = Domain("NonNegativeReals", 0.0)
NonNegativeIntegers = Domain("NonNegativeIntegers", 0.0, integer=True)
Binary = Domain("Binary", 0.0, 1.0, integer=True)


class Indexed:
    """A variable, row or expression over the product of some sets."""

    def __init__(self, *sets: Iterable[Any]) -> None:
        self.sets = sets
        self.became: Any = None

    def __getitem__(self, index: Any) -> Any:
        return self.became[index]


class Var(Indexed):
    """Variables. bounds: a pair, or a rule of the block and an index that returns one."""

    def __init__(
        self,
        *sets: Iterable[Any],
        domain: Domain = Reals,
        bounds: tuple[float | None, float | None] | Rule = (None, None),
    ) -> None:
        super().__init__(*sets)
        self.domain, self.bounds = domain, bounds


class Constraint(Indexed):
    """Rows. rule: of the block and an index, returns a relation, or (low, expression, high)."""

    def __init__(self, *sets: Iterable[Any], rule: Any = None, expr: Any = None) -> None:
        super().__init__(*sets)
        self.rule = rule if expr is None else expr


class Expression(Indexed):
    """Expressions to report. rule: of the block and an index."""

    def __init__(self, *sets: Iterable[Any], rule: Rule) -> None:
        super().__init__(*sets)
        self.rule = rule


class Block(Protocol):
    """Where a component declares: `b.name = declaration`, then `b.name[index]`."""

    def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, declared: Any) -> None: ...

    def add_component(self, name: str, declared: Any) -> None:
        """Declare by a name that is calculated."""

    def component(self, name: str) -> Any:
        """Return what has been declared by a name."""
