"""How the suite is run: what is shared is solved once, and the garbage collector looks at less."""

from __future__ import annotations

import gc
from collections import Counter
from typing import Any

import pytest

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
    {"language/test_language"},
    {"test_conventions", "test_layers"},
    {"scenario/test_json_schema"},
    {"studies/test_simulate"},
    {"report/test_simulation_page"},
    {"plan/test_results"},
)  # fmt: skip
GROUPS = {f"tests/{name}.py": f"group {i}" for i, names in enumerate(SHARING) for name in names}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the variants of a test as slow beyond the first few, where it has the marker `few`."""
    variants: Counter[str] = Counter()
    for item in items:
        name = item.nodeid.partition("[")[0]
        variants[name] += 1
        marker = item.get_closest_marker("few")
        if marker is not None and variants[name] > marker.args[0]:
            item.add_marker(pytest.mark.slow)


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
