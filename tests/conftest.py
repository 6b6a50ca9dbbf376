"""How the suite is run: what is shared is solved once, and the garbage collector looks at less."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

# Limits in seconds that would let a slow machine decide the outcome of a test.
IN_SECONDS = (
    "planner.diagnosis.conflict.CHECK_LIMIT_S",
    "planner.diagnosis.infeasible.CHANGE_LIMIT_S",
    "planner.diagnosis.infeasible.CONFLICT_LIMIT_S",
    "planner.diagnosis.repair.SOLVE_LIMIT_S",
    "tests.support.fuzz.SOLVER_S",
)

# Tests of these files share solves, a scheduler or plans: each line stays in one process.
SHARING = (
    {"auditor/test_mutations"},
    {f"auditor/test_{name}" for name in (
        "audit", "battery", "fleet", "grid", "load_and_renewable", "reserve", "service", "shares",
        "thermal",
    )},
    {"components/test_exclusivity"},
    {"components/test_market_rules"},
    {"test_scenarios", "test_two_sites"},
    {"studies/test_sweep"},
    {"components/test_reasons"},
)  # fmt: skip
GROUPS = {f"tests/{name}.py": f"group {i}" for i, names in enumerate(SHARING) for name in names}


@pytest.fixture(scope="session", autouse=True)
def _the_clock_decides_nothing() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in IN_SECONDS:
            patch.setattr(name, 3600.0)
        yield


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector pass over what is imported, which stays, and run less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give one test after the other to whoever is free; what shares stays together."""
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return GROUPS.get(nodeid.partition("::")[0], nodeid)

    return Sharing(config, log)
