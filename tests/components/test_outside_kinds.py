"""Kinds of other packages: the heat pump of docs/example_kind, and packages with mistakes."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from babel.messages.pofile import read_po
from typer.testing import CliRunner

import planner
from planner.auditor import kind as audit_names
from planner.auditor.audit import audit_files
from planner.auditor.plan_files import read_files
from planner.cli.app import app
from planner.components import kind as kind_names
from planner.components.registry import KINDS, better, kind_named, warn_of_unused_kinds
from planner.errors import PlanError, ScenarioError
from planner.files.yaml_document import read_yaml
from planner.language.language import FIELD, SENTENCE, WORD, language
from planner.message import catalogue_key
from planner.outside import Package
from planner.scenario.json_schema import scenario_schema
from planner.scenario.scenario_key import scenario_key
from planner.solver.compiler import compile_program
from planner.solver.model import assemble, assemble_in_pyomo
from planner.studies.sweep_case import Task, pack, solve_case, unpacked
from planner.studies.sweep_plan import prepare
from tests import test_conventions as conventions
from tests.support.beside import EXAMPLE, ROOT, SITE, SOURCE, beside
from tests.support.build import column, scenario, solve, used
from tests.support.plan_words import codes_of, fields
from tests.support.same_program import differences
from tests.support.words import by_syntax, catalogue, descriptions_in
from tests.test_docs import blocks

PACKAGE = SOURCE / "planner_heat_pump"
SHED = "components.pump.shed_cost_cny_per_mwh"


@pytest.fixture(autouse=True, scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with beside(tmp_path_factory.mktemp("beside")):
        yield


@pytest.fixture(scope="module")
def plan(installed: None) -> planner.Plan:
    return planner.prices(planner.load(SITE)).plan


@pytest.fixture(scope="module")
def folder(plan: planner.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plan.write(tmp_path_factory.mktemp("plan") / "plan", page=False)


def site(**changes: Any) -> dict[str, Any]:
    """The components of the example, with other fields of the pump."""
    parts: dict[str, Any] = read_yaml(SITE).data["components"]
    return parts | {"pump": parts["pump"] | changes}


def test_its_class_is_made_by_name() -> None:
    from planner_heat_pump.heat_pump import HeatPump

    data = read_yaml(SITE).data
    fields = {name: value for name, value in site()["pump"].items() if name != "kind"}
    made = planner.Scenario.from_mapping(
        data | {"components": site() | {"pump": HeatPump(**fields)}}
    )
    assert made == planner.load(SITE)
    with pytest.raises(ScenarioError, match="HeatPump: cop: must be above 0"):
        HeatPump(**fields | {"cop": 0})


def test_its_sum_is_that_of_the_example(plan: planner.Plan) -> None:
    """3 MWh at 100, 1 MWh at 500, a start at 50."""
    assert plan.summary["objective_cny"] == pytest.approx(-(3 * 100 + 1 * 500 + 50))
    assert column(plan, "pump.draw_mw[grid]") == [2, 0]
    assert column(plan, "pump.tank_mwh") == [3, 0]
    assert used(plan, "heat", "grid") == pytest.approx(2)
    figures = {"drawn_mwh": 2, "heat_mwh": 6, "shed_mwh": 0, "tank_at_end_mwh": 0}
    assert plan.summary["figures"]["pump"] == pytest.approx(figures)
    assert plan.summary["kinds_from"] == {"heat_pump": "planner-heat-pump"}
    assert plan.summary["versions"]["planner-heat-pump"] == "0.1.0"
    why = plan.reasons[plan.reasons["component"] == "pump"]
    assert list(why["code"]) == ["heats_at_limit", "rests"]
    assert why["reason"].iloc[1] == "a MWh of heat costs 166.7 > 33.3 worth"


def test_its_prices(plan: planner.Plan) -> None:
    """A MW of heat more costs 33.33 in either hour: the tank carries it."""
    assert plan.prices is not None
    rows = plan.prices[plan.prices["component"] == "pump"].set_index(["quantity", "index"])
    assert rows.loc[("demand_mw", ""), "value"].iloc[0] == pytest.approx(-100 / 3, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "profit"),
    [
        ({"capacity_mwh": 0}, -(2 * 100 + 2 * 500 + 50)),  # 1 MW in both hours
        ({"leak_per_h": 0.5}, -(3 * 100 + (1 + 0.5) * 500 + 50)),  # 1.5 of 3 MWh are left
        ({"demand_mw": [3, 12]}, -(3 * 100 + 3 * 500 + 50 + 3 * 1000)),  # 3 + 6 of 12 MWh
        ({"min_power_mw": 2, "capacity_mwh": 1}, -(1 * 100 + 500 + 3 * 1000 + 3 * 1000)),
        ({"initial": {"tank_mwh": 3, "on": True}, "capacity_mwh": 6}, -(3 * 100 + 500)),
        ({"initial": {"tank_mwh": 3, "on": True}, "ending": {"at_least_mwh": 0}}, -(2 * 100 + 500)),
        ({"ending": {"value_cny_per_mwh": 200}, "capacity_mwh": 6}, -(300 + 1500 + 50) + 6 * 200),
    ],
    ids=lambda value: str(value)[:40],
)
def test_sums_by_hand(changes: dict[str, Any], profit: float) -> None:
    assert solve(site(**changes), 2).summary["objective_cny"] == pytest.approx(profit)


def test_rolling_is_one_solve() -> None:
    parts = site(demand_mw=[3, 3, 3, 3], ending={"at_least_mwh": 1})
    parts["grid"]["import_price_cny_per_mwh"] = [100, 500, 100, 500]
    whole = scenario(parts, 4)
    rolled = planner.roll(whole, 3, 1)
    expected = planner.solve(whole).summary["objective_cny"]
    assert rolled.summary["objective_cny"] == pytest.approx(expected)


def test_every_column_is_audited(folder: Path) -> None:
    """A wrong number in any column of the schedule or line of the ledger is a breach of its own."""
    files = read_files(folder)
    assert audit_files(files) == []
    columns = [name for name in files.schedule if name.startswith("pump.")]
    assert len(columns) == 8
    for i, name in enumerate(columns):
        wrong = files.schedule.copy()
        wrong.loc[i % 2, name] = wrong.loc[i % 2, name] + 0.5
        breaches = audit_files(dataclasses.replace(files, schedule=wrong))
        assert "pump" in {breach.component for breach in breaches}, name
    for table, value in (("ledger", "amount_cny"), ("allocation", "mwh")):
        wrong = getattr(files, table).copy()
        wrong[value] += 1.0
        assert audit_files(dataclasses.replace(files, **{table: wrong})), table
    wrong = files.why.copy()
    wrong.loc[wrong["component"] == "pump", "code"] = "full"
    assert {breach.rule for breach in audit_files(dataclasses.replace(files, why=wrong))} == {
        "why.full"
    }


def test_its_page_and_its_words(plan: planner.Plan, folder: Path) -> None:
    for chart, text in (("supply", "heat"), ("storage", "tank"), ("commitment", "heating")):
        assert text in getattr(plan.figures, chart)().to_json(), chart
    zh = language("zh")
    assert zh.term("heat_pump") == "热泵"
    why = planner.read_plan(folder).reasons
    reason = why.loc[why["component"] == "pump", "reason"].iloc[1]
    assert zh.sentence(reason) == "每 MWh 热量成本 166.7 > 价值 33.3"


def test_words_of_ours_count_before_those_of_others(tmp_path: Path) -> None:
    ours = language("zh").term("curtailed")
    code = CODE.replace("Kind(Kettle)", "Kind(Kettle, words=Path(__file__).parent)")
    po = "".join(
        f'msgctxt "word"\nmsgid "{word}"\nmsgstr "壶"\n\n' for word in ("kettle", "curtailed")
    )
    with beside(tmp_path, KETTLE, KETTLE_AUDIT, "kettles", "2.0", {"kettle": code}):
        (tmp_path / "zh.po").write_text(po, encoding="utf-8")
        assert language("zh").term("kettle") == "壶"
        assert language("zh").term("curtailed") == ours != "壶"
        language.cache_clear()
        (tmp_path / "zh.po").write_bytes(b"\xff")
        assert language("zh").term("kettle") == "kettle"
        assert language("zh").term("heat_pump") == "热泵"


@pytest.mark.slow
def test_its_program_is_that_of_pyomo() -> None:
    loaded = planner.load(SITE)
    built = (compile_program(build(loaded, None)) for build in (assemble, assemble_in_pyomo))
    assert not differences(*built)


def test_rules_that_contradict_each_other_are_words() -> None:
    with pytest.raises(planner.InfeasibleError) as error:
        solve(site(shed_cost_cny_per_mwh=None, demand_mw=[9, 9]), 2)
    text = str(error.value)
    assert "pump delivers demand_mw 9 MW of heat" in text
    assert "pump draws power_mw 2 MW at most" in text
    assert "须恰好供热 demand_mw 9 MW" in language("zh").sentence(error.value.message)


def test_mistakes_in_its_fields_are_told_all_at_once() -> None:
    with pytest.raises(ScenarioError) as error:
        solve(site(min_power_mw=3, power=4, initial={"tank_mwh": 9, "on": 1}), 2)
    text = str(error.value)
    assert "components.pump.power: is not a field here" in text
    assert "components.pump.initial.on: must be true or false" in text
    with pytest.raises(ScenarioError, match=r"min_power_mw: may not exceed power_mw 2"):
        solve(site(min_power_mw=3), 2)
    with pytest.raises(ScenarioError, match=r"one of battery, .*heat_pump.*; did you mean heat_p"):
        solve(site(kind="hot water tank"), 2)


@pytest.mark.slow
def test_the_schema_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS.keys() - {"load", "grid"}:  # which take their time
        monkeypatch.delitem(KINDS, kind)
    schema = scenario_schema()
    data = json.loads(json.dumps(read_yaml(SITE).data, default=str))
    jsonschema.validate(data, schema)
    del data["components"]["pump"]["cop"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)
    described = schema["$defs"]["heat_pump.HeatPump"]["properties"]["cop"]
    assert described["description"].startswith("Coefficient of performance")


def test_its_figures_have_a_better_way_and_its_version_a_key() -> None:
    assert better("figures.pump.shed_mwh") == "least"
    assert better("figures.pump.heat_mwh") == "most"
    loaded = planner.load(SITE)
    keys = [scenario_key(loaded), scenario_key(loaded)]
    with pytest.MonkeyPatch.context() as patch:
        later = {"heat_pump": Package("planner-heat-pump", "0.2.0")}
        patch.setattr("planner.scenario.scenario_key.packages_of", lambda _: later)
        keys.append(scenario_key(loaded))
    assert keys[0] == keys[1] != keys[2]


def test_a_folder_names_the_package_that_is_missing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: ())
    monkeypatch.setattr("planner.auditor.registry.entry_points", lambda **_: ())
    with beside(tmp_path / "empty", {}, {}, "nothing"):
        text = "package planner-heat-pump is not installed, which brings the kind heat_pump"
        for read in (planner.audit, planner.read_plan):
            with pytest.raises(PlanError, match=text):
                read(folder)


CODE = """
from pathlib import Path
from typing import Literal
from planner.components.kind import Component, Kind
from planner.auditor.kind import KindAudit

class Kettle(Component):
    kind: Literal["kettle"]

KIND, AUDIT = Kind(Kettle), KindAudit(columns=lambda *_: set(), checks=())
"""
KETTLE, KETTLE_AUDIT = {"kettle": "kettle:KIND"}, {"kettle": "kettle:AUDIT"}


@pytest.mark.parametrize(
    ("kinds", "audits", "code", "text"),
    [
        (KETTLE, KETTLE_AUDIT, "import nowhere", "kettles 2.0 cannot be imported (planner.compone"),
        (KETTLE, KETTLE_AUDIT, "raise SystemExit(3)", "components of kettle): SystemExit"),
        (KETTLE, KETTLE_AUDIT, CODE.replace("KIND, AUDIT", "KIND, OTHER"), "(planner.audits of"),
        ({"kettle": "kettle:Kettle"}, KETTLE_AUDIT, CODE, "in planner.components must be a Kind"),
        (KETTLE, KETTLE_AUDIT, CODE.replace('["kettle"]', '["pot"]'), "`kind` of its class, pot"),
        (KETTLE, KETTLE_AUDIT, CODE.replace('Literal["kettle"]', "str"), "of its class, str"),
        (KETTLE, {}, CODE, "kettles 2.0 brings the kind kettle without its audit: it needs"),
        ({}, KETTLE_AUDIT, CODE, "2.0 brings the audit of kettle without the kind: it needs"),
    ],
    ids=["import", "exit", "audit", "no kind", "wrong word", "any", "no audit", "audit alone"],
)  # fmt: skip
def test_a_package_with_a_mistake_is_told_where_it_is_used(
    kinds: dict[str, str], audits: dict[str, str], code: str, text: str, tmp_path: Path
) -> None:
    with beside(tmp_path, kinds, audits, "kettles", "2.0", {"kettle": code}):
        with pytest.raises(ScenarioError) as error:
            solve(site() | {"pot": {"kind": "kettle"}}, 2)
        assert str(error.value).startswith("scenario: components.pot.kind: kettles 2.0")
        assert text in str(error.value)
        assert kind_named("heat_pump") is not None  # others are as they were
        planner.load(SITE)


def test_an_error_in_its_code_names_the_package(tmp_path: Path) -> None:
    code = CODE.replace("KIND,", "    def check(self, site):\n        return 1 / 0\n\nKIND,")
    with beside(tmp_path, KETTLE, KETTLE_AUDIT, "kettles", "2.0", {"kettle": code}):
        text = SITE.read_text().replace("  pump:", "  pot: {kind: kettle}\n  pump:")
        (tmp_path / "site.yaml").write_text(text)
        result = CliRunner().invoke(app, ["check", str(tmp_path / "site.yaml")])
    assert result.exit_code == 1
    assert "a bug in kettles 2.0: ZeroDivisionError: division by zero" in result.stderr


def test_two_packages_with_one_word_and_a_word_of_ours(tmp_path: Path) -> None:
    both = KETTLE | {"load": "kettle:KIND"}
    with (
        beside(tmp_path / "a", both, KETTLE_AUDIT, "kettles", "2.0", {"kettle": CODE}),
        beside(tmp_path / "b", KETTLE, KETTLE_AUDIT, "pots", "3.0"),
    ):
        with pytest.raises(ScenarioError, match=r"kettles 2\.0 and pots 3\.0 both bring the kind"):
            solve(site() | {"pot": {"kind": "kettle"}}, 2)
        (warning,) = warn_of_unused_kinds(planner.load(SITE).components.values())
        assert warning.startswith("kettles 2.0 brings a kind load too, which is not used")
        assert kind_named("load") is KINDS["load"]


def test_an_audit_that_is_none_refuses_the_plan(tmp_path: Path) -> None:
    audits = {"kettle": "kettle:KIND"}
    with (
        beside(tmp_path, KETTLE, audits, "kettles", "2.0", {"kettle": CODE}),
        pytest.raises(PlanError, match=r"kettles 2\.0: its entry point kettle in planner\.audits"),
    ):
        solve(site() | {"pot": {"kind": "kettle"}}, 2)


def test_the_example_keeps_the_rules_of_the_house() -> None:
    kind = kind_named("heat_pump")
    assert kind is not None
    conventions.test_every_row_stands_in_the_docstring(kind.component)
    conventions.test_every_field_has_a_description(kind.component)
    conventions.test_no_unit_is_part_of_another(kind.component)
    conventions.test_initial_and_after_come_together(kind.component)
    allowed = {"audit": {"planner.auditor.kind"}}
    for path in PACKAGE.glob("*.py"):
        tree = ast.walk(ast.parse(path.read_text()))
        names = {node.module for node in tree if isinstance(node, ast.ImportFrom)}
        of_planner = {name for name in names if name and name.startswith("planner.")}
        assert of_planner <= allowed.get(path.stem, {"planner.components.kind"}), path


def test_every_text_of_the_example_has_chinese_words(plan: planner.Plan) -> None:
    kind, ours = kind_named("heat_pump"), catalogue()
    assert kind is not None
    with (PACKAGE / "zh.po").open("rb") as source:
        own = read_po(source, locale="zh")
    texts = {
        catalogue_key(text)
        for path in PACKAGE.glob("*.py")
        for _, _, text, _ in by_syntax(path.open("rb"), ("Message", "template"), (), {})
    } | {catalogue_key(rule) for rule in kind.component.rules.values()}
    words = {"heat_pump", "heat", *codes_of(kind), *fields(kind.component, set())} - {
        "kind",
        "node",
    }
    words |= {name.partition(".")[2].partition("[")[0] for name in plan.schedule if "pump." in name}
    words |= {state.first for state in kind.component.states}
    words |= plan.summary["figures"]["pump"].keys()
    described = set(descriptions_in(kind.component.model_json_schema()))
    for context, needed in ((SENTENCE, texts), (WORD, words), (FIELD, described)):
        known = {str(one.id) for one in own if one.context == context}
        for text in needed:
            entry = own.get(text, context) or ours.get(text, context)
            assert getattr(entry, "string", ""), text
        assert known <= needed, "its catalogue has what nothing says"


def test_the_page_shows_the_files_and_lists_every_stable_name() -> None:
    page = ROOT / "docs" / "outside_kinds.md"
    listed = set(re.findall(r"`(\w+)`", page.read_text()))
    assert {*kind_names.__all__, *audit_names.__all__} <= listed
    files = [path.read_text() for path in (EXAMPLE / "pyproject.toml", SITE, *PACKAGE.glob("*.py"))]
    shown = [text for language, _, text in blocks(page) if language in ("py", "toml", "yaml")]
    assert len(shown) == 10
    for text in shown:
        assert any(text in file for file in files), text


def test_a_sweep_varies_its_fields(tmp_path: Path) -> None:
    """Without a tank the second hour takes 1 MWh at 500 more, and the first one less at 100."""
    text = (
        f"name: tank\nbase: {SITE}\ndesign: grid\naxes: {{components.pump.capacity_mwh: [0, 3]}}\n"
        "outputs: [objective_cny, figures.pump.shed_mwh]\n"
    )
    (tmp_path / "sweep.yaml").write_text(text)
    checked = prepare(tmp_path / "sweep.yaml")
    with unpacked("tank", pack(checked.base)):
        tasks = [Task(key, case.at, case.changes) for key, case in checked.distinct.items()]
        results = [solve_case("tank", task)[0]["figures"] for task in tasks]
    assert [result["objective_cny"] for result in results] == pytest.approx([-1250, -850])
    assert [result["figures.pump.shed_mwh"] for result in results] == [0, 0]
