"""Loggers of runs: named as the modules, below `planner`, and silent unless a program asks.

INFO says what a run does: sizes, rounds, profit and bound, seconds. DEBUG says it also of what a
run does many times, such as the windows of a year. WARNING says what no result says. Texts are
messages, so that a handler may render them in another language.
"""

from __future__ import annotations

import logging

ROOT = "planner"
logging.getLogger(ROOT).addHandler(logging.NullHandler())


def logger(module: str) -> logging.Logger:
    """Return the logger of a module by its `__name__`."""
    return logging.getLogger(module)
