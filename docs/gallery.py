"""Write the gallery of the shipped scenarios: `make pictures`, or this file alone. Needs Chromium.

Solves each scenario, takes a picture of one chart of its page, and writes docs/gallery.md and
docs/gallery.zh.md with its results. A year takes minutes: its picture is taken from the LP
relaxation, its profit from expected.yaml.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pictures
import yaml

import planner
from planner.language.language import language
from planner.report.plan_page.page import plan_page
from planner.report.stochastic_page.page import stochastic_page

SIZE = (760, 720, 1)  # of the screen, in pixels


class Entry(NamedTuple):
    """A scenario of the gallery: the chart that shows its idea, and the idea in both languages."""

    chart: str
    en: str
    zh: str


ENTRIES = {
    "starter": Entry(
        "supply",
        "The scenario to begin with: sun, one coal unit, a battery, a campus and a hall of GPUs.",
        "入门场景：光伏、一台煤电机组、储能、园区负荷与一座 GPU 机房。",
    ),
    "huainan": Entry(
        "supply",
        "48 h in July: sun, wind, one coal unit, two GPU fleets, an ordinary two-part tariff.",
        "七月的 48 小时：光伏、风电、一台煤电机组、两个 GPU 集群，执行普通两部制电价。",
    ),
    "huainan_96": Entry(
        "storage",
        "The same site, one day in 96 steps of 15 minutes, those of day-ahead declarations.",
        "同一站点的一天，按日前申报的 96 个 15 分钟时段编制。",
    ),
    "huainan_winter": Entry(
        "commitment",
        "The same site, 48 h in January: winter tariff, little sun, cold air.",
        "同一站点一月的 48 小时：冬季电价、日照少、气温低。",
    ),
    "huainan_uncertain": Entry(
        "profits",
        "The same site, one day in July planned for four members; coal is committed before it is"
        " known which of them comes true.",
        "同一站点七月的一天，针对四种情景编制；煤电启停须在情景揭晓之前决定。",
    ),
    "huainan_year": Entry(
        "heat",
        "The same site over the 8,760 hours of 2026, with a carbon budget, a share of own use and a"
        " cap on export. The chart shows the renewable power available.",
        "同一站点 2026 年全年 8,760 小时，含碳排放预算、新能源自用比例下限和上网比例上限。"
        "图为逐日逐时的新能源可用功率。",
    ),
    "green_direct_supply": Entry(
        "allocation",
        "The same site under the 60/30/20 rule of green direct supply, buying in the market.",
        "同一站点按绿电直连 60/30/20 规则运行，在市场购电。",
    ),
    "two_sites": Entry(
        "compute",
        "A windy site and a coal site serve the same tokens, joined by a weak line.",
        "风电站点与煤电站点经弱联络线相连，共同供应同一批 Token。",
    ),
    "islanded": Entry(
        "supply",
        "No grid: coal backing and reserve supply a town through a calm night.",
        "孤网：煤电与备用保障城镇度过无风之夜。",
    ),
    "negative_prices": Entry(
        "prices",
        "A day on which the market pays for consumption.",
        "负电价日：用电反而得到付费。",
    ),
    "wind_declared": Entry(
        "supply",
        "Wind declared a day ahead on a forecast, and the value of the forecast.",
        "风电按预测日前申报，以及预测的价值。",
    ),
    "article": Entry(
        "ledger",
        "The founding claim taken literally: 0.5 CNY for a kWh on the grid, 10 CNY in tokens.",
        "最初的论断照字面计算：一度电上网 0.5 元，变成 Token 值 10 元。",
    ),
    "tiny_arbitrage": Entry(
        "storage", "Buy 4 MWh at 10, sell them at 50, earn 160.",
        "以 10 元买入 4 MWh，以 50 元卖出，净得 160 元。",
    ),
    "tiny_deadline": Entry(
        "compute", "Batch work waits for a cheaper hour, until its deadline.",
        "批处理任务等待更便宜的时段，但不得超过截止时间。",
    ),
    "tiny_latency": Entry(
        "compute", "Two latency classes share nodes.", "两类时延要求共用节点。",
    ),
    "tiny_market": Entry(
        "allocation", "Token prices against the grid's price.", "Token 价格与上网电价的取舍。",
    ),
    "tiny_origin": Entry(
        "storage", "Green energy stays green in the battery.", "绿电存入电池仍是绿电。",
    ),
    "tiny_reserve": Entry(
        "supply", "Headroom costs money.", "备用有成本。",
    ),
    "tiny_start": Entry(
        "commitment", "A start that just pays.", "刚好划算的一次启动。",
    ),
    "tiny_wake": Entry(
        "compute", "Waking takes an hour of idling.", "唤醒需要一小时空转。",
    ),
}  # fmt: skip

HEAD = {
    "en": """\
# Gallery

[中文](gallery.zh.md)

<!-- Made by `make pictures` from solved plans; do not edit. -->

Each shipped scenario, with a chart of its plan and its results. A site of your own begins with any
of them:

```text
planner new mysite --from huainan
```

""",
    "zh": """\
# 案例

[English](gallery.md)

<!-- Made by `make pictures` from solved plans; do not edit. -->

每个随附场景都有计划图表和主要结果，也可作为自己站点的起点：

```text
planner new mysite --from huainan
```

""",
}
TINY = {
    "en": "## One idea each\n\nSmall enough to compute the optimum by hand, as their pages do.\n\n",
    "zh": "## 一例一理\n\n规模小，最优解可以手算；各自的说明页给出算式。\n\n",
}
MORE = {
    "en": "[What happens, and where its figures come from]({page}).\n"
    "`planner new mysite --from {name}`",
    "zh": "[结果说明与数据来源]({page})。\n`planner new mysite --from {name}`",
}
COLUMNS = {
    "steps": ("horizon", "计划期", "{}"),
    "profit": ("profit, CNY", "利润（元）", "{:,.0f}"),
    "compute": ("a kWh in compute, CNY", "算力度电收入（元）", "{:.2f}"),
    "export": ("a kWh sold to the grid, CNY", "上网度电收入（元）", "{:.2f}"),
    "share": ("renewable share of load", "负荷新能源占比", "{:.0%}"),
    "gap": ("gap to the bound, of turnover", "相对上界的间隙（占收支总额）", "{:.2%}"),
}
"""The results: their names in both languages, and how a number is written."""
STEPS = {"en": "{hours:,g} h in {steps:,} steps", "zh": "{hours:,g} 小时，{steps:,} 个时段"}


def main() -> None:
    """Write the pictures and both pages."""
    pages = pictures.ROOT / "plans" / "pictures"
    pages.mkdir(parents=True, exist_ok=True)
    results = {}
    with pictures.open_browser() as browser:
        for name, entry in ENTRIES.items():
            text, results[name] = plan_of(name)
            file = pages / f"{name}.html"
            file.write_text(text, encoding="utf-8")
            with pictures.opened(browser, file, *SIZE) as page:
                page.add_style_tag(content="details { display: none }")  # its table
                pictures.write_chart(page, f"#figure-{entry.chart}", f"gallery_{name}")
    for code, suffix in (("en", ".md"), ("zh", ".zh.md")):
        page_text = gallery(results, code)
        (Path(__file__).parent / f"gallery{suffix}").write_text(page_text, encoding="utf-8")


def plan_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return the page of the plan of a scenario, and its results by column."""
    scenario, english = planner.load(pictures.SCENARIOS / name), language("en")
    size = {"hours": scenario.horizon.hours, "steps": scenario.horizon.steps}
    if scenario.uncertainty is not None:
        joint = planner.solve_stochastic(scenario)
        results = {"steps": size, "profit": joint.expected_cny, "gap": joint.summary["gap"]}
        return stochastic_page(joint, english), results
    if name.endswith("_year"):
        plan = planner.solve(
            scenario.with_values({"solver.relax": True, "solver.time_limit_s": 7200})
        )
        expected = yaml.safe_load((pictures.SCENARIOS / name / "expected.yaml").read_text("utf-8"))
        return plan_page(plan, english), {"steps": size, "profit": expected["objective_cny"]}
    plan = planner.solve(scenario)
    values = plan.summary["value_by_use_cny_per_kwh"]
    return plan_page(plan, english), {
        "steps": size,
        "profit": plan.summary["objective_cny"],
        "compute": values["compute"],
        "export": values["export"],
        "share": plan.summary["green"].get("load_share"),
        "gap": plan.summary["gap"],
    }


def gallery(results: dict[str, dict[str, Any]], code: str) -> str:
    """Return the page of the gallery in a language."""
    text = HEAD[code]
    for name, entry in ENTRIES.items():
        tiny = name.startswith("tiny_")
        if name == "tiny_arbitrage":
            text += TINY[code]
        idea, picture = getattr(entry, code), f"pictures/gallery_{name}.png"
        text += f"{'###' if tiny else '##'} {name}\n\n{idea}\n\n![{name}]({picture})\n\n"
        heads, cells = [], []
        for key, (english, chinese, form) in COLUMNS.items():
            if (value := results[name].get(key)) is not None:
                heads.append(english if code == "en" else chinese)
                cells.append(STEPS[code].format(**value) if key == "steps" else form.format(value))
        rule = ["---"] + ["---:"] * (len(heads) - 1)
        text += "".join(f"| {' | '.join(row)} |\n" for row in (heads, rule, cells))
        more = MORE[code].format(name=name, page=f"../scenarios/{name}/README.md")
        text += f"\n{more}\n\n"
    return text.rstrip() + "\n"


if __name__ == "__main__":
    main()
