"""How the suite is run: what is shared is solved once, and the garbage collector looks at less."""

from __future__ import annotations

import gc
from typing import Any

import pytest

# Tests of these files share solves, a scheduler or plans: each file stays in one process.
SHARING = frozenset(
    f"tests/test_{name}.py"
    for name in (
        "audit_mutations",
        "audit",
        "exclusivity",
        "market_rules",
        "scenarios",
        "sweep",
        "two_sites",
        "why",
    )
)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector pass over what is imported: it stays."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give one test after the other to whoever is free; the files of SHARING first, and whole."""
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if file in SHARING else nodeid

    return Sharing(config, log)
