"""How the suite is run: what is shared is solved once, and the garbage collector looks at less.

More than half of a small solve is the audit of its plan. Each test function has the first plan
audited that it makes for no folder, and all its plans with `make slow`.
"""

from __future__ import annotations

import gc
import os
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
)  # fmt: skip
GROUPS = {f"tests/{name}.py": f"group {i}" for i, names in enumerate(SHARING) for name in names}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector pass over what is imported, which stays, and run less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    if "not slow" in session.config.getoption("markexpr") and not _only_hands_out(session.config):
        _audit_first_plans()


def _only_hands_out(config: pytest.Config) -> bool:
    """Return whether other processes run the tests."""
    return bool(getattr(config.option, "tx", None)) and not hasattr(config, "workerinput")


def _audit_first_plans() -> None:
    """Audit of the plans for no folder the first that a test function makes in this process."""
    from planner.studies import to_plan

    whole, audit = to_plan._require_audit_of_tables, to_plan.audit
    audited = set[str]()

    def first_only(plan: Any) -> None:
        function = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].partition("[")[0]
        if function in audited and to_plan.audit is audit:  # else a test watches the audit
            return
        audited.add(function)
        whole(plan)

    to_plan._require_audit_of_tables = first_only


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give one test after the other to whoever is free; what shares stays together."""
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return GROUPS.get(nodeid.partition("::")[0], nodeid)

    return Sharing(config, log)
