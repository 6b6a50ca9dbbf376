"""The key figures of every component, as the summary shows them, from the schedule alone."""

from __future__ import annotations

import numpy as np

from planner.auditor.kinds.carbon import carbon_figures
from planner.auditor.kinds.contract import contract_figures
from planner.auditor.kinds.green_rule import green_figures
from planner.auditor.kinds.job import job_figures
from planner.auditor.kinds.line import line_figures
from planner.auditor.kinds.service import served, wanted
from planner.auditor.kinds.tariff import grid_figures
from planner.auditor.reading import Part, Plan


def figures_of(plan: Plan, part: Part) -> dict[str, float]:
    """Return the key figures of a component by name."""
    by_kind = {
        "renewable": _renewable, "thermal": _thermal, "battery": _battery, "grid": grid_figures,
        "load": _load, "fleet": _fleet, "service": _service, "reserve": _reserve,
        "job": job_figures, "line": line_figures,
        "contract": contract_figures,
        "green_rule": green_figures, "carbon": carbon_figures,
    }  # fmt: skip
    return {name: float(value) for name, value in by_kind[part.kind](plan, part).items()}


def _renewable(plan: Plan, part: Part) -> dict[str, float]:
    available = part.number("capacity_mw") * part.series("availability_pu")
    return {
        "available_mwh": plan.clock.step_h * available.sum(),
        "curtailed_mwh": plan.clock.step_h * (available - part.column("power_mw")).sum(),
    }


def _thermal(plan: Plan, part: Part) -> dict[str, float]:
    step_h = plan.clock.step_h
    gross = step_h * part.column("power_mw").sum()
    fuel = step_h * part.column("fuel_gj_per_h").sum()
    net = (1 - part.number("auxiliary_share")) * gross
    return {
        "starts": part.column("start").sum(),
        "on_h": step_h * part.column("on").sum(),
        "gross_mwh": gross,
        "fuel_gj": fuel,
        "emission_tco2": part.number("emission_tco2_per_gj") * fuel,
        "allowance_tco2": part.number("allowance_tco2_per_mwh") * net,
    }


def _battery(plan: Plan, part: Part) -> dict[str, float]:
    discharged = plan.clock.step_h * np.sum(part.total("discharge_mw"))
    span = max(part.number("capacity_mwh") - part.number("min_energy_mwh"), 1e-9)
    return {
        "discharged_mwh": discharged,
        "cycles": discharged / span,
        "cycles_per_day": discharged / span / (plan.clock.hours / 24),
        "energy_at_end_mwh": np.asarray(part.total("energy_mwh"))[-1],
    }


def _load(plan: Plan, part: Part) -> dict[str, float]:
    demand = plan.clock.step_h * part.series("demand_mw").sum()
    return {
        "demand_mwh": demand,
        "shed_mwh": demand - plan.clock.step_h * np.sum(part.total("draw_mw")),
    }


def _fleet(plan: Plan, part: Part) -> dict[str, float]:
    awake = np.asarray(part.total("awake"))
    available = (part.number("nodes") * part.series("available_pu")).sum()
    return {
        "awake_mean_nodes": awake.mean(),
        "awake_share": awake.sum() / max(available, 1e-9),
        "woken_nodes": np.sum(part.total("woken")),
        "drawn_mwh": plan.clock.step_h * np.sum(part.total("draw_mw")),
    }


def _service(plan: Plan, part: Part) -> dict[str, float]:
    step_h = plan.clock.step_h
    asked, done = step_h * wanted(part).sum(), step_h * served(part).sum()
    figures = {
        "wanted_mtok": asked,
        "answered_mtok": step_h * part.column("answered_mtok_per_h").sum(),
        "served_share": done / asked if asked else 1.0,
    }
    if part["arrivals_mtok_per_h"] is not None:
        figures["waiting_at_end_mtok"] = part.column("waiting_mtok")[-1]
        figures["refused_mtok"] = asked - done
    return figures


def _reserve(plan: Plan, part: Part) -> dict[str, float]:
    short = part["shortfall_cost_cny_per_mwh"] is not None
    missing = plan.clock.step_h * part.column("shortfall_mw").sum() if short else 0.0
    return {
        "required_mean_mw": part.column("required_mw").mean(),
        "provided_mean_mw": part.column("provided_mw").mean(),
        "shortfall_mwh": missing,
    }
