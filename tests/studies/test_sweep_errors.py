"""The errors of cases are stored in one line, and read in Chinese."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest

import planner
from planner.errors import InfeasibleError, NoPlanError, PlannerError, Problem, ScenarioError
from planner.language.language import language
from planner.message import Message, MessageList, message_of, plain_message
from planner.studies.sweep_case import Task, _in_one_line, failed
from planner.studies.to_plan import failed_audit
from tests.support.full_site import write
from tests.support.infeasible_cases import CASES

CHINESE = language("zh")
ENGLISH = re.compile(r"\b(the|is|must|and|not|of|for|than|after|before|has)\b")

ERRORS = [
    NoPlanError(Message(
        "no plan was found within {limit:g} s; try a longer --time-limit or a looser --gap",
        limit=60,
    )),
    PlannerError(Message("every worker that tried it died: not enough memory?")),
    ScenarioError([
        Problem(Message("is required"), "components.battery.capacity_mwh"),
        Problem(Message("must be {least:g} or more, is {value}", least=0, value=-1), "horizon.x"),
    ]),
]  # fmt: skip


def read_in_chinese(message: Message) -> str:
    assert "\n" not in message
    stored = message_of(json.loads(json.dumps(plain_message(message))))
    assert stored == message
    chinese = CHINESE.sentence(stored)
    assert re.search("[\u4e00-\u9fff]", chinese), message
    assert not ENGLISH.search(chinese), chinese
    return chinese


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_of_the_planner(error: PlannerError) -> None:
    read_in_chinese(_in_one_line(error))


@pytest.mark.few(6)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases_without_a_plan(case: object) -> None:
    with pytest.raises(InfeasibleError) as refused:
        planner.solve(case.scenario())  # type: ignore[attr-defined]
    texts = [rule["text"] for rule in refused.value.diagnosis["conflict"]]
    read_in_chinese(MessageList("; ", texts))
    read_in_chinese(_in_one_line(refused.value))


def test_an_error_that_is_not_ours_keeps_its_own_words_after_ours() -> None:
    result, files = failed(Task("key", "at", {}), ValueError("too\nbad"))
    assert result["message"] == "ended with an error: ValueError: too bad"
    assert CHINESE.sentence(message_of(result["message_parts"])) == (
        "因程序错误而中止：ValueError: too bad"
    )
    assert files == {}


@cache
def schedule() -> tuple[TemporaryDirectory[str], Path, pd.DataFrame]:
    scratch = TemporaryDirectory()
    folder = Path(scratch.name)
    planner.solve(planner.load(write(folder)), out=planner.Output(folder / "plan", page=False))
    file = folder / "plan" / "schedule.csv"
    return scratch, file, pd.read_csv(file)


@pytest.mark.few(1)
@pytest.mark.parametrize("number", range(50))
def test_plans_that_fail_their_audit(number: int) -> None:
    """A value of one column is 7 too large; the messages of the audit are read back."""
    _, file, table = schedule()
    columns = table.columns[1:]
    column = columns[number * len(columns) // 50]
    changed = table.astype({column: float})
    changed.loc[1, column] += 7
    changed.to_csv(file, index=False)
    breaches = planner.audit(file.parent)
    if breaches:
        text = _in_one_line(failed_audit(breaches))
        chinese = read_in_chinese(text)
        assert chinese.startswith("计划未通过自身核查")


@pytest.mark.parametrize(
    "data",
    [None, 3, {}, [], {"template": "{x}", "places": {}}, {"template": "x", "places": {"y": "z"}},
     {"template": 1, "places": {}}, {"separator": "; ", "parts": [3]},
     {"template": "{", "places": {}},
     {"separator": "", "parts": {}}],
)  # fmt: skip
def test_what_is_no_message_is_refused(data: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # whatever it says, the English text is shown
        message_of(data)
