"""The texts of rules: infeasible.json stores them in English, and Chinese readers see Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import planner
from planner.components.registry import KINDS
from planner.language.language import language
from tests.support.full_site import write

ZH = language("zh")


def test_the_stored_text_of_every_rule_is_read_back_by_its_template(tmp_path: Path) -> None:
    site = planner.load(write(tmp_path))
    assert {part.kind for part in site.components.values()} == {*KINDS}
    for name, component in site.components.items():
        for rule in component.rules:
            text = str(component.describe_rule(rule, site.horizon, [1, 2]))
            not_set = re.search(r"\bnone\b", text)  # a deadline of interactive work has no row
            assert not_set or ZH.sentence(text) != text, f"{name}: {text}"
