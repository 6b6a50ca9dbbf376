"""The auditor on lines and jobs: each promise broken by hand is found where it was broken."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from planner.auditor.audit import audit_files
from planner.auditor.plan_files import Files
from tests.components.test_job import job
from tests.components.test_line import line
from tests.support import build, compute
from tests.support.audited import Edit, both, cell, leaves, rule, said, solved, step, with_figure


@functools.cache
def carried() -> Files:
    """10 MW sent for 8 in steps 1 and 2, 5 MW back for 4 in step 3, nothing in step 4."""
    site = {
        "west_grid": build.grid(node="west", import_price_cny_per_mwh=40, export_limit_mw=0),
        "east_grid": build.grid(node="east", import_price_cny_per_mwh=[90, 90, 10, 60],
                                export_limit_mw=0),
        "village": build.load(0, 0, 4, 0, node="west"),
        "town": build.load(8, 8, 0, 3, node="east"),
        "link": line(loss_share=0.2, capacity_mw=12),
    }  # fmt: skip
    return solved(site, 4)


@functools.cache
def one_way() -> Files:
    """10 MW of wind in each of two steps, 9 of which arrive and are sold."""
    site = {
        "wind": build.renewable(10, 10, node="west"),
        "buyer": build.grid(node="east", import_limit_mw=0),
        "cable": line(loss_share=0.1, both_ways=False, capacity_mw=15),
    }
    return solved(site, 2)


@functools.cache
def ran() -> Files:
    """Two nodes in steps 2 and 3 for `free`, one in step 1 for the last of `begun`'s two hours."""
    parts = compute.site(
        [100, 40, 40, 100, 100], gpu=compute.fleet(4, sleep_kw=10),
        free=job(mandatory=True, release_h=1),
        begun=job(nodes=1, node_kw=500, initial={"hours_run": 1}),
    )  # fmt: skip
    return solved(parts, 5)


# plan, edit, component, rule, time of the breach (None: over the horizon or in several)
BROKEN: list[tuple[Callable[[], Files], Edit, str, str, str]] = [
    # lines
    (carried, rule("link", "capacity_mw", to=9), "link", "forward_limit", step(1)),
    (carried, rule("link", "capacity_mw", to=4), "link", "backward_limit", step(3)),
    (one_way, rule("cable", "capacity_mw", to=9), "cable", "forward_limit", step(2)),
    (carried, cell("link.forward", 1, 0), "link", "forward_limit", step(1)),
    (carried, cell("link.forward", 3, 1), "link", "backward_limit", step(3)),
    (carried, cell("link.forward", 1, 0.9), "link", "direction", step(1)),
    (carried, cell("link.forward", 4, 2), "link", "direction", step(4)),
    # 3 MW of one colour go back while 10 of the other go forward
    (carried, cell("link.backward_mw[renewable]", 1, 3), "link", "direction", step(1)),
    (carried, cell("link.forward_mw[grid]", 1, 11), "west", "balance[grid]", step(1)),
    (carried, cell("link.forward_mw[grid]", 1, 11), "east", "balance[grid]", step(1)),
    (carried, cell("link.backward_mw[grid]", 3, 6), "west", "balance[grid]", step(3)),
    (carried, cell("link.backward_mw[thermal]", 3, 1), "east", "balance[thermal]", step(3)),
    (carried, rule("link", "loss_share", to=0.3), "east", "balance[grid]", step(2)),
    (carried, rule("link", "loss_share", to=0.3), "allocation", "grid.loss", step(1)),
    (carried, rule("link", "to_node", to="west"), "east", "balance[grid]", step(1)),
    (one_way, rule("cable", "loss_share", to=0.0), "east", "balance[renewable]", step(2)),
    (one_way, rule("cable", "both_ways", to=True), "cable", "columns", ""),
    (one_way, cell("cable.forward_mw[renewable]", 1, -1), "cable", "not_negative", step(1)),
    # jobs: interrupted, twice, outside its time, not at all
    (ran, cell("free.running", 3, 0), "free", "running", step(3)),
    (ran, both(cell("free.running", 3, 0), cell("free.running", 5, 1)), "free", "running", step(5)),
    (ran, cell("free.start", 5, 1), "free", "one_start", step(5)),
    (ran, cell("free.start", 2, 0), "free", "mandatory", step(5)),
    (ran, cell("free.start", 2, 0.5), "free", "states", step(2)),
    (ran, cell("free.running", 2, 2), "free", "states", step(2)),
    (ran, cell("free.started", 4, 0), "free", "started", step(4)),
    (ran, rule("free", "release_h", to=1.5), "free", "window", step(2)),
    (ran, rule("free", "deadline_h", to=2.5), "free", "window", step(2)),
    (ran, rule("free", "duration_h", to=2.5), "free", "running", step(4)),
    (ran, rule("free", "duration_h", to=1), "free", "running", step(3)),
    (ran, rule("free", "initial", "hours_run", to=1), "free", "one_start", step(5)),
    (ran, cell("begun.running", 1, 0), "begun", "running", step(1)),
    (ran, cell("begun.running", 2, 1), "begun", "running", step(2)),
    (ran, rule("begun", "initial", "hours_run", to=0.5), "begun", "running", step(2)),
    (ran, rule("begun", "initial", "hours_run", to=2), "begun", "running", step(1)),
    (ran, rule("begun", "initial", "hours_run", to=0), "begun", "running", step(1)),
    # nodes and kW
    (ran, rule("free", "nodes", to=3), "gpu", "job_nodes", step(2)),
    (ran, rule("begun", "node_kw", to=600), "gpu", "job_kw", step(1)),
    (ran, cell("gpu.job_nodes", 2, 1), "gpu", "job_nodes", step(2)),
    (ran, cell("gpu.job_nodes", 2, 1), "gpu", "count", step(2)),
    (ran, cell("gpu.job_kw", 3, 0), "gpu", "job_kw", step(3)),
    (ran, cell("gpu.job_kw", 3, 0), "gpu", "it_kw", step(3)),
    (ran, rule("gpu", "nodes", to=5), "gpu", "count", step(2)),
    (ran, rule("free", "fleet", to="none"), "gpu", "job_nodes", step(2)),
    # money
    (ran, rule("free", "value_cny", to=250), "free", "job", step(2)),
]  # fmt: skip


@pytest.mark.parametrize("plan", [carried, one_way, ran], ids=lambda plan: plan.__name__)
def test_the_plans_to_be_broken_are_good(plan: Callable[[], Files]) -> None:
    assert said(plan()) == []


@pytest.mark.parametrize(("plan", "edit", "component", "name", "when"), BROKEN)
def test_a_broken_promise_is_found(
    plan: Callable[[], Files], edit: Edit, component: str, name: str, when: str
) -> None:
    broken = {(b.component, b.rule, b.time) for b in audit_files(edit(plan()))}
    assert (component, name, when) in broken, broken


def test_a_value_of_compute_that_leaves_out_jobs_is_found() -> None:
    files = ran()
    earned = files.summary["value_by_use_cny_per_kwh"]["compute"]
    assert earned == pytest.approx(
        (200 + 100) / (4 + 0.5 + 0.01 * (3 + 2 + 2 + 4 + 4)) / 1000, 1e-4
    )
    assert said(with_figure(files, ("value_by_use_cny_per_kwh", "compute"), earned - 0.01))


@pytest.mark.parametrize("plan", [carried, one_way, ran], ids=lambda plan: plan.__name__)
def test_every_figure_of_the_summary_is_checked(plan: Callable[[], Files]) -> None:
    for path in leaves(plan().summary):
        if path[0] == "figures":
            figure: Any = functools.reduce(lambda tree, key: tree[key], path, plan().summary)
            assert said(with_figure(plan(), path, float(figure) + 0.01)), path


@pytest.mark.parametrize("plan", [carried, one_way, ran], ids=lambda plan: plan.__name__)
def test_a_change_of_any_number_of_a_line_or_a_job_is_found(plan: Callable[[], Files]) -> None:
    files = plan()
    columns = [
        name for name in files.schedule
        if name.partition(".")[0] in ("link", "cable", "free", "begun") or ".job_" in name
    ]  # fmt: skip
    alive = []
    for name in columns:
        for at in range(1, len(files.schedule) + 1):
            old = float(files.schedule[name].iloc[at - 1])
            new = old + 0.05 * old + 0.01 * max(1.0, float(np.abs(files.schedule[name]).max()))
            if not audit_files(cell(name, at, new)(files)):
                alive.append((name, at))
    assert len(columns) >= 3
    assert alive == []


def test_a_relaxed_plan_owes_no_whole_starts() -> None:
    site = compute.site(
        [100, 40, 40, 100], gpu=compute.fleet(2), a=job(nodes=1.5), b=job(nodes=1.5)
    )
    plan = build.solve(site, 4, solver={"relax": True})
    assert plan.summary["status"] == "relaxed"
    assert 0.1 < plan.schedule["a.started"].iloc[-1] + plan.schedule["b.started"].iloc[-1] < 1.9
