"""Pyomo as `pyo`, imported when a model is first built, so that checking a scenario is instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["pyo"]

if TYPE_CHECKING:
    import pyomo.environ as pyo
else:

    class _Late:
        def __getattr__(self, name: str) -> Any:
            import pyomo.environ

            value = getattr(pyomo.environ, name)
            setattr(self, name, value)  # so that the next access is direct
            return value

    pyo = _Late()
