"""Everything people read has Chinese words: texts, words of plans, sentences and units."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import planner
from planner.cli.app import app
from planner.components.registry import KINDS
from planner.language.language import BY_ORIGIN, FIELD, SENTENCE, WORD, language, number
from planner.message import places_of
from planner.report.terminal.plan import show, show_prices
from planner.units import SUFFIXES
from tests.support.plan_words import PACKAGE, codes, codes_of, ledger_lines, plans, words
from tests.support.sources import nodes, tree
from tests.support.words import SAME, catalogue, fields, in_sources, messages, texts

EN, ZH = language("en"), language("zh")
HAN = re.compile(r"[\u4e00-\u9fff、，：；]")
PLACE = re.compile(r"\{([^{}]+)\}")
MARKS = ("Message", "template")


def chinese(text: str) -> bool:
    return HAN.search(text) is not None or text in SAME


def test_every_text_has_chinese_words_and_none_is_left_over() -> None:
    known = catalogue()
    missing = [text for text in texts() if known.get(text) is None]
    assert not missing, "make words adds these to zh.po; translate them there"
    left = [str(m.id) for m in known if m.id and m.context is None and m.id not in texts()]
    assert not left, "make words drops these"
    assert not known.obsolete
    assert not [m.id for m in known if m.id and (m.fuzzy or not m.string)]


def test_every_place_of_a_text_is_kept() -> None:
    for message in catalogue():
        said, meant = (sorted(PLACE.findall(str(t))) for t in (message.id, message.string))
        if message.context == WORD:
            assert not said, message.id
        assert set(said) == set(meant), message.id


def test_texts_are_translated_and_not_copied() -> None:
    units = {*SUFFIXES.values()}
    for message in catalogue():
        if message.context is None and message.id and message.id not in units:
            assert message.id != message.string, message.id
            assert chinese(str(message.string)) or PLACE.search(message.id), message.id


def test_every_word_of_plans_has_chinese_words() -> None:
    missing = sorted(word for word in words() if not chinese(ZH.term(word)))
    assert not missing, "make words adds these to zh.po; translate them there"
    assert all(ZH.known(word.partition("[")[0]) for word in words())


def test_words_and_sentences_that_no_source_says_are_gone() -> None:
    left = [m.id for m in catalogue() if m.context and not in_sources(m.context, str(m.id))]
    assert left == []


def test_codes_are_read_from_the_docstrings() -> None:
    assert {"held_for_reserve", "must_run_on", "at_peak", "all_sold", "exports"} <= codes()
    assert {"end_value", "fuel", "export", "deviation"} <= ledger_lines()


def test_codes_of_a_plan_are_those_that_the_docstrings_explain() -> None:
    for plan in plans():
        for name, component in plan.scenario.components.items():
            said = set(plan.reasons.loc[plan.reasons["component"] == name, "code"])
            assert said <= codes_of(KINDS[component.kind]), name


def test_every_unit_of_a_price_has_chinese_words() -> None:
    for plan in plans():
        assert plan.prices is not None
        for per in set(plan.prices["unit"]):
            assert "CNY" not in ZH(per), per


def test_every_label_of_a_schedule_keeps_the_name_and_has_chinese_words() -> None:
    for plan in plans():
        for column in map(str, plan.schedule.columns):
            name, _, quantity = column.partition(".")
            said = ZH.label(column)
            assert said.startswith(f"{name} "), column
            assert chinese(said.removeprefix(name)), column
            index = quantity.partition("[")[2].removesuffix("]")
            by_origin = quantity.partition("[")[0] in BY_ORIGIN
            assert by_origin == (index in ("renewable", "thermal", "grid")), column
            assert (index not in said) == by_origin or not index, column


def test_every_reason_and_warning_of_a_plan_has_chinese_words() -> None:
    for plan in plans():
        for text in {*plan.reasons["reason"], *plan.summary["warnings"]}:
            said = ZH.sentence(text)
            assert chinese(said), text
            figures = re.findall(r"(?<![\w.])-?\d[\d.]*(?![\w.])", text)
            assert all(figure in said for figure in figures), text


def test_every_message_of_the_sources_has_chinese_words() -> None:
    known = catalogue()
    missing = [text for text in messages() if not known.get(text, context=SENTENCE)]
    assert not missing, "make words adds these to zh.po; translate them there"


def test_every_description_of_a_field_has_chinese_words() -> None:
    known = catalogue()
    found = {text: known.get(text, context=FIELD) for text in fields()}
    missing = [text for text, entry in found.items() if not entry or not chinese(entry.string)]
    assert not missing, "make words adds these to zh.po; translate them there"


def test_the_template_of_a_message_is_written_where_it_is_made() -> None:
    """A template put together from parts would be in no catalogue."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in nodes(path):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKS:
                put_together = isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
                assert not put_together, f"{path}:{node.lineno}"


def test_units_are_translated() -> None:
    for unit in SUFFIXES.values():
        found = catalogue().get(unit)
        assert found is not None, unit
        assert "CNY" not in found.string, unit
    assert ZH("CNY/MWh") == "元/MWh"
    assert ZH("CNY/Mtok") == "元/百万Token"


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("battery.charge_mw[grid]", "battery 充电功率（电网） [MW]"),
        ("coal_1.on", "coal_1 运行"),
        ("gpus.nodes[qwen|450]", "gpus 节点数（qwen|450）"),
        ("gpus.awake[grid]", "gpus 唤醒节点数（grid）"),  # a model may bear the name of an origin
        ("peak_import_mw", "最大下网功率 [MW]"),
        ("grid.unheard_of_mw", "grid unheard of mw [MW]"),
    ],
)
def test_labels_in_chinese(column: str, said: str) -> None:
    assert ZH.label(column) == said


def test_a_line_of_the_ledger_is_no_power_line() -> None:
    assert (ZH("line"), ZH.term("line")) == ("收支项", "线路")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price 3 < 4 worth of storing; price 3 = 3 stored value",
         "电价 3 < 充电价值 4；电价 3 = 存电价值 3"),
        ("renewable price -1.5 > -2 on site", "新能源上网电价 -1.5 > 站内价值 -2"),
        ("price 3 < 4 on site; also ramp_mw_per_h, my_rule, at the peak of the month",
         "电价 3 < 站内价值 4；同时受限于：功率爬坡速率、my_rule，已达当月最大需量"),
        ("components.a_b: energy left at the end has no value: the plan will empty the battery",
         "a_b：期末荷电量未计价值：计划会将储能放空"),
        ("components.x: a and b want up to 5 Mtok/h of 'm', above the 4 Mtok/h that all fleets"
         " could answer",
         "x：a、b 对 'm' 的需求最高 5 百万Token/h，超过全部集群的应答能力 4 百万Token/h"),
        ("VSS of 0.00 CNY is not more than the gaps leave open, 238,126.36 CNY: it may be none",
         "VSS 为 0.00 元，不超过求解间隙的余量 238,126.36 元：可能为零"),
        ("pv.power_mw is 8 and may be 0 to 3, at 10:00-12:00",
         "pv.power_mw 为 8，只能在 0 至 3 之间，时段 10:00-12:00"),
        ("pv.curtailed_mw is 0 and can only be -5, at 10:00-12:00, 13:00-14:00",
         "pv.curtailed_mw 为 0，只能为 -5，时段 10:00-12:00, 13:00-14:00"),
        ("pv.power_mw is 8 and nobody knows, at 10:00-12:00",
         "pv.power_mw is 8 and nobody knows, at 10:00-12:00"),
        ("price 3 < 4 on site; nobody knows", "price 3 < 4 on site; nobody knows"),
        ("components.pv.share: must be 1 or less, is 2; components.pv.mw: must be 0 or more, is -1",
         "components.pv.share：必须不大于 1，现为 2；components.pv.mw：必须不小于 0，现为 -1"),
        ("components.pv.capacity_mwx: is not a field here; did you mean capacity_mw?",
         "components.pv.capacity_mwx：不是此处的字段；是否想写 capacity_mw？"),
        ("components.pv.x: must be a number, is a list", "components.pv.x：必须为数值，现为列表"),
    ],
)  # fmt: skip
def test_sentences_in_chinese(text: str, said: str) -> None:
    assert ZH.sentence(text) == said
    assert EN.sentence(text) == text


@pytest.mark.parametrize(
    ("value", "unit", "english", "said"),
    [
        (23_701_714.0, "CNY", "23,701,714 CNY", "2,370.2 万元"),
        (-23_701_714.0, "CNY", "-23,701,714 CNY", "-2,370.2 万元"),
        (9_999.0, "CNY", "9,999 CNY", "9,999 元"), (10_000.0, "CNY", "10,000 CNY", "1 万元"),
        (9.5, "MWh", "9.5 MWh", "9.5 MWh"), (5354.0, "MWh", "5,354 MWh", "535.4 万kWh"),
        (4_849_956.0, "Mtok", "4,849,956 Mtok", "4.85 万亿Token"),
        (124_594.0, "Mtok", "124,594 Mtok", "1,245.9 亿Token"),
        (2.5, "Mtok", "2.5 Mtok", "2.5 百万Token"),
        (0.0, "CNY", "0 CNY", "0 元"), (None, "MW", "–", "–"), (float("nan"), "MW", "–", "–"),
    ],
)  # fmt: skip
def test_amounts(value: float | None, unit: str, english: str, said: str) -> None:
    assert EN.amount(value, unit) == english
    assert ZH.amount(value, unit) == said


def test_numbers_keep_their_digits() -> None:
    shown = [number(x) for x in (12345.6, 1234.56, 12.3456, 0.000051, 0.0000001, -0.5, 999.999)]
    assert shown == ["12,346", "1,234.6", "12.346", "0.000051", "0", "-0.5", "1,000"]


@pytest.mark.parametrize(
    ("name", "english", "said"),
    [
        ("objective_cny", "profit", "利润"),
        ("figures.store.cycles", "store cycles", "store 循环次数"),
        ("ledger_cny.grid.export[renewable]", "grid export (renewable)", "grid 上网（新能源）"),
        ("allocation_mwh.renewable.compute", "energy (renewable, compute)",
         "分配电量（新能源、算力）"),
        ("0.5", "0.5", "0.5"), ("battery", "battery", "battery"),
        ("green.load_share", "renewable share of load", "绿电占比"),
        ("components.rule.min_load_share", "rule min load share", "rule 绿电占比下限"),
        ("components.held.load_share", "held load share", "held 负荷比例"),
        ("weather", "weather", "weather"), ("token_price", "token price", "token price"),
        ("battery_power_mw", "battery power", "battery power"),
        ("components.coal_1.initial.power_mw", "coal_1 initial power", "coal_1 初始 出力"),
        ("components.grid.export_price_cny_per_mwh.renewable", "grid export price (renewable)",
         "grid 上网电价（新能源）"),
        ("gap", "gap", "间隙"), ("gap_of_profit", "gap of profit", "利润间隙"),
        ("uplift", "uplift", "算力增值倍数"),
        ("components.gpus.serves.grid.prefill.node_kw", "gpus serves grid prefill node",
         "gpus 承载模型 grid 预填充 节点功率"),
        ("components.a.market[0].price_cny_per_mtok", "a market [0] price",
         "a 市场（0） Token 售价"),
    ],
)  # fmt: skip
def test_axes_and_outputs_in_words(name: str, english: str, said: str) -> None:
    assert ZH.path(name) == said
    assert EN.path(name) == english


def shown(plan: planner.Plan, code: str) -> str:
    console = Console(file=io.StringIO(), width=200, emoji=False)
    show(plan, console, language(code))
    show_prices(plan, console, language(code))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_console_speaks_chinese_in_columns_that_line_up() -> None:
    from rich.cells import cell_len

    plan = plans()[0]
    said = shown(plan, "zh")
    names = {
        *plan.scenario.components,
        *["PUE", "IT", "Token", "kWh", "MWh", "MW", "tCO", "GJ", "included", "full_site"],
    }
    spoken = set(re.findall(r"[A-Za-z_]{4,}", said)) - names
    assert spoken <= {"site", "east", "qwen", "soft", "Mtok", "pooled"}, spoken
    for block in re.findall(r"(?:^[┏┃┡│├└┌].*\n)+", said, re.MULTILINE):
        assert len({cell_len(line.rstrip()) for line in block.splitlines()}) == 1
    assert "利润明细" in said
    assert "Profit by line" in shown(plan, "en")


def test_the_tiny_plans_say_all_there_is_to_say() -> None:
    site, declared = plans()
    assert site.summary["carbon"]
    assert "answered_tco2_per_mtok" in site.summary["carbon"]
    assert "day_ahead_cny" in declared.summary["figures"]["grid"]
    assert {SENTENCE, WORD, FIELD} == {m.context for m in catalogue() if m.context}


@pytest.mark.parametrize("asked", [{"args": ["--lang", "zh"]}, {"env": {"PLANNER_LANG": "zh"}}])
def test_commands_speak_the_language_they_are_asked_for(tmp_path: Path, asked: Any) -> None:
    command = ["solve", "scenarios/tiny_arbitrage", "--out", str(tmp_path / "plan")]
    ran = CliRunner().invoke(app, [*command, *asked.get("args", [])], env=asked.get("env"))
    assert ran.exit_code == 0, ran.output
    assert "利润 160 元" in ran.output
    again = CliRunner().invoke(app, ["compare", *[str(tmp_path / "plan")] * 2, "--lang", "zh"])
    assert "两份计划的输入、收支、指标和逐时数据均相同" in again.output


def test_an_unknown_language_is_told() -> None:
    ran = CliRunner().invoke(app, ["prices", "scenarios/tiny_arbitrage", "--lang", "fr"])
    assert ran.exit_code == 2


def test_every_place_of_a_message_has_its_value() -> None:
    """Errors are rare: a place without a value would be found by a user only."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in nodes(path):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Message":
                for text in literals(node.args[0], tree(path)):
                    names = {keyword.arg for keyword in node.keywords}
                    whole = None not in names  # else there are **values
                    if names - {None} - {*places_of(text)} or (
                        whole and names != {*places_of(text)}
                    ):
                        wrong.append(f"{path}:{node.lineno}: {text}")
    assert not wrong


def literals(text: ast.expr, module: ast.Module) -> Iterator[str]:
    """The templates that an expression may be: literals, choices of them, constants."""
    if isinstance(text, ast.Constant):
        yield str(text.value)
    elif isinstance(text, ast.IfExp):
        yield from literals(text.body, module)
        yield from literals(text.orelse, module)
    elif isinstance(text, ast.Name):
        for node in module.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == text.id:
                for part in ast.walk(node.value):
                    if isinstance(part, ast.Call) and getattr(part.func, "id", "") == "template":
                        yield from literals(part.args[0], module)
