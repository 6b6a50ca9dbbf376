"""The texts of rules: infeasible.json stores them in English, and Chinese readers see Chinese."""

from __future__ import annotations

from pathlib import Path

import planner
from planner.language.language import language
from tests.support.full_site import write

ZH = language("zh")
KINDS = ("fleet", "job", "line", "load", "renewable", "reserve", "service")


def test_the_stored_text_of_every_rule_is_read_back_by_its_template(tmp_path: Path) -> None:
    site = planner.load(write(tmp_path))
    parts = {n: part for n, part in site.components.items() if part.kind in KINDS}
    assert {part.kind for part in parts.values()} == {*KINDS}
    for name, component in parts.items():
        for rule in component.rules:
            text = str(component.describe_rule(rule, site.horizon, [1, 2]))
            not_set = " none " in text  # a deadline of interactive work, of which no row exists
            assert not_set or ZH.sentence(text) != text, f"{name}: {text}"
