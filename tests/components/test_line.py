"""Lines between two nodes: sums one can do in the head."""

from __future__ import annotations

from typing import Any

import pytest

import planner
from tests.support import golden
from tests.support.build import *

Site = dict[str, dict[str, Any]]


def line(**fields: Any) -> dict[str, Any]:
    """A line of 100 MW from west to east without losses."""
    base = {"kind": "line", "from_node": "west", "to_node": "east", "capacity_mw": 100}
    return base | fields


def seller(price: float | list[float], node: str, **fields: Any) -> dict[str, Any]:
    """A grid that only sells to a node."""
    return grid(import_price_cny_per_mwh=price, export_limit_mw=0, node=node) | fields


def west_to_east(*demand_mw: float, **fields: Any) -> Site:
    """Energy at 40 in the west, a load in the east that may be shed at 100."""
    return {
        "grid": seller(40, "west"),
        "town": load(*demand_mw, node="east", shed_cost_cny_per_mwh=100),
        "link": line(**fields),
    }


def test_what_is_lost_on_the_way_is_bought() -> None:
    """8 MW arrive of 10 sent, a fifth is lost: 10 x 40."""
    plan = solve(west_to_east(8, loss_share=0.2))
    assert plan.summary["objective_cny"] == pytest.approx(-400)
    assert column(plan, "link.forward_mw[grid]") == [10]
    assert used(plan, "loss", "grid") == pytest.approx(2)
    assert used(plan, "load", "grid") == pytest.approx(8)
    figures = plan.summary["figures"]["link"]
    assert figures == pytest.approx(
        {"forward_mwh": 10, "backward_mwh": 0, "loss_mwh": 2, "utilisation_share": 0.1}
    )


def test_capacity_counts_at_the_sending_end() -> None:
    """5 MW are sent and 4 arrive; 4 of 8 are shed: 5 x 40 + 4 x 100."""
    assert profit(west_to_east(8, loss_share=0.2, capacity_mw=5)) == pytest.approx(-600)


def test_the_dearer_node_buys_from_the_cheaper_as_far_as_the_line_goes() -> None:
    # East pays 90 and west 40: 5 of its 8 MW come from the west, 5 x 40 + 3 x 90, and west's own
    # 3 MW; in the second hour it is the other way round.
    site = {
        "west_grid": seller([40, 90], "west"),
        "east_grid": seller([90, 40], "east"),
        "village": load(3, 8, node="west"),
        "town": load(8, 3, node="east"),
        "link": line(capacity_mw=5),
    }
    plan = solve(site, 2)
    hour = 5 * 40 + 3 * 90 + 3 * 40
    assert plan.summary["objective_cny"] == pytest.approx(-2 * hour)
    assert column(plan, "link.forward_mw[grid]") == [5, 0]
    assert column(plan, "link.backward_mw[grid]") == [0, 5]
    one_way = {**site, "link": line(capacity_mw=5, both_ways=False)}
    plan = solve(one_way, 2)
    assert plan.summary["objective_cny"] == pytest.approx(-hour - (8 * 90 + 3 * 40))
    assert "link.backward_mw[grid]" not in plan.schedule
    assert "link.forward" not in plan.schedule


def test_a_loss_larger_than_the_difference_of_prices_keeps_the_line_idle() -> None:
    """A MWh sent from the west costs 40 / 0.6 = 66.7 in the east, which pays 60 for its own."""
    site = west_to_east(8, loss_share=0.4) | {"own": seller(60, "east")}
    assert profit(site) == pytest.approx(-8 * 60)
    cheaper = west_to_east(8, loss_share=0.2) | {"own": seller(60, "east")}
    assert profit(cheaper) == pytest.approx(-10 * 40)


def test_energy_keeps_its_origin_on_the_way() -> None:
    """10 MW of wind, 9 arrive: sold at 60 as green energy, which grid energy may not be."""
    site = {
        "wind": renewable(10, node="west"),
        "buyer": grid(node="east", import_price_cny_per_mwh=20,
                      export_price_cny_per_mwh={"renewable": 60, "thermal": 70}),
        "link": line(loss_share=0.1),
    }  # fmt: skip
    plan = solve(site)
    assert plan.summary["objective_cny"] == pytest.approx(9 * 60)
    assert used(plan, "export", "renewable") == pytest.approx(9)
    assert used(plan, "loss", "renewable") == pytest.approx(1)


def two_colours() -> Site:
    # 20 MW of wind in the west, which sells any energy at 30, 20 MW of must-run coal in the east,
    # which sells green energy at 60 and coal at 20. Neither sells more than its own 20 MW.
    coal = thermal(
        node="east", min_power_mw=20, max_power_mw=20,
        curve=[{"power_mw": 20, "fuel_gj_per_h": 20}],
        startup_ramp_mw=20, shutdown_ramp_mw=20, must_run=True,
        initial={"on": True, "power_mw": 20, "hours": 9},
    )  # fmt: skip
    prices = {"renewable": 60, "thermal": 20}
    return {
        "wind": renewable(20, node="west"),
        "coal": coal,
        "west_grid": market(30, node="west", export_limit_mw=20),
        "east_grid": market(0, node="east", export_limit_mw=20, export_price_cny_per_mwh=prices),
        "link": line(capacity_mw=40),
    }


def test_colours_are_not_exchanged_at_no_net_flow() -> None:
    # Wind sells at 30 and coal at 20, less 200 of fuel: 800. To send 20 MW of wind east and 20 MW
    # of coal west would earn 20 x 60 + 20 x 30 - 200 = 1600; half the line each way has room,
    # and the relaxation does just that.
    plan = solve(two_colours())
    assert plan.summary["objective_cny"] == pytest.approx(800)
    both = [
        min(sum(plan.schedule[f"link.{way}_mw[{o}]"].iloc[0] for o in ("renewable", "thermal"))
            for way in ("forward", "backward"))
    ]  # fmt: skip
    assert both == [pytest.approx(0, abs=1e-6)]
    assert profit(two_colours(), solver={"relax": True}) == pytest.approx(1600)


def test_colours_may_go_one_way() -> None:
    """With room for 40 MW in the east the wind is sold there: 20 x 60 + 20 x 20 - 200."""
    site = two_colours()
    site["east_grid"]["export_limit_mw"] = 40
    assert profit(site) == pytest.approx(1400)


def test_energy_takes_the_shortest_of_equal_ways_and_never_runs_in_circles() -> None:
    """Three lossless lines in a ring: 8 MW go straight."""
    site = west_to_east(8) | {
        "detour": line(to_node="north"),
        "rest": line(from_node="north"),
    }
    plan = solve(site)
    carried = {
        name: plan.summary["figures"][name]["forward_mwh"]
        + plan.summary["figures"][name]["backward_mwh"]
        for name in ("link", "detour", "rest")
    }
    assert carried == pytest.approx({"link": 8, "detour": 0, "rest": 0})


def test_lines_in_a_row_lose_one_after_the_other() -> None:
    # Half is lost on each of two lines through a node of nothing else: 8 MW need 32, which cost
    # 160 each; at 100 the town is rather shed.
    site = west_to_east(8, to_node="mid", loss_share=0.5)
    site["last"] = line(from_node="mid", loss_share=0.5, both_ways=False)
    assert profit(site) == pytest.approx(-8 * 100)
    site["town"]["shed_cost_cny_per_mwh"] = 200
    assert profit(site) == pytest.approx(-32 * 40)


def test_a_closed_line_leaves_two_sites() -> None:
    west: Site = {
        "wind": renewable(9, 2, node="west"),
        "west_grid": grid(node="west"),
        "cell": battery(node="west", initial={"energy_mwh": {"grid": 3}}),
    }
    east: Site = {"east_grid": seller([50, 70], "east"), "town": load(6, 8, node="east")}
    apart = profit(west, 2) + profit(east, 2)
    joined = {**west, **east, "link": line(capacity_mw=0)}
    assert profit(joined, 2) == pytest.approx(apart)
    assert profit({**joined, "link": line(capacity_mw=4)}, 2) > apart + 1


@pytest.mark.parametrize("step_min", [30, 15])
def test_half_the_step_leaves_the_optimum(step_min: int) -> None:
    site = {
        "wind": renewable(*[9] * (3 * 60 // step_min), node="west"),
        "west_grid": grid(node="west"),
        "east_grid": seller(50, "east"),
        "town": load(*[6] * (3 * 60 // step_min), node="east"),
        "link": line(capacity_mw=5, loss_share=0.1),
    }
    coarse = site | {
        "wind": renewable(9, 9, 9, node="west"), "town": load(6, 6, 6, node="east")
    }  # fmt: skip
    assert profit(site, 3, step_min=step_min) == pytest.approx(profit(coarse, 3))


def test_pooled_energy_goes_over_a_line_too() -> None:
    site = west_to_east(8, loss_share=0.2)
    site["grid"]["resale"] = True
    plan = solve(site, trace=False)
    assert plan.summary["objective_cny"] == pytest.approx(-400)
    assert column(plan, "link.forward_mw[pooled]") == [10]


def test_golden_line() -> None:
    """A line of two ways and one of one way, each between two nodes."""
    site = west_to_east(8, loss_share=0.1) | {"spare": line(both_ways=False, capacity_mw=7)}
    golden.check("line", scenario(site))


def problems(site: Site) -> dict[str, str]:
    with pytest.raises(planner.ScenarioError) as caught:
        scenario(site)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_the_ends_of_a_line_must_be_nodes_of_something() -> None:
    said = problems(west_to_east(8, from_node="wset"))
    assert said["components.link.from_node"] == (
        "nothing else stands at node 'wset'; did you mean west?"
    )
    said = problems(west_to_east(8, to_node="somewhere"))
    assert said["components.link.to_node"] == (
        "nothing else stands at node 'somewhere' (there is 'east', 'west')"
    )
    said = problems(west_to_east(8, to_node="west"))
    assert said["components.link.to_node"] == "must differ from from_node, is 'west' too"


def test_a_line_between_nodes_that_nothing_feeds_feeds_nobody() -> None:
    site = {"a": load(1, node="west"), "b": load(1, node="east"), "link": line(), "g": grid()}
    assert problems(site) == {
        "components.link.from_node": "nothing feeds node 'west', the line can carry nothing"
    }
    ways = problems(west_to_east(8, both_ways=False, from_node="east", to_node="west"))
    assert ways["components.link.from_node"].startswith("nothing feeds node 'east'")
    assert ways["components.town.node"] == "nothing feeds node 'east' (there is 'west')"


def test_a_broken_neighbour_is_told_alone() -> None:
    site = west_to_east(8)
    site["grid"]["import_limit_mw"] = -1
    assert set(problems(site)) == {"components.grid.import_limit_mw"}


def test_what_comes_from_afar_is_counted_as_supply() -> None:
    """9 of 10 MW arrive, and the east has 3 of its own: 12 are too few for 13."""
    site = west_to_east(13, capacity_mw=10, loss_share=0.1) | {"own": renewable(3, node="east")}
    del site["town"]["shed_cost_cny_per_mwh"]
    with pytest.raises(planner.InfeasibleError) as caught:
        solve(site)
    assert "all supply of node 'east' (link, own) is at most 12 MW" in str(caught.value)
    assert "components.link.capacity_mw ≥ 11.12 (is 10)" in str(caught.value)


def test_energy_without_a_use_at_any_end_is_warned_of() -> None:
    site = {"wind": renewable(5, node="west"), "sun": renewable(5, node="east"), "link": line()}
    said = scenario({**site, "grid": grid(), "town": load(1)}).warnings()
    assert said == ["components.link: nothing it leads to can use or sell energy"]
    site["link"] = line(both_ways=False)
    said = scenario({**site, "grid": grid(), "town": load(1)}).warnings()
    assert "node 'east' is fed, but nothing there can use or sell the energy" in said
    assert scenario(west_to_east(8)).warnings() == []


def test_two_lines_beside_each_other_are_warned_of() -> None:
    site = west_to_east(8) | {"second": line(from_node="east", to_node="west", capacity_mw=7)}
    (said,) = scenario(site).warnings()
    assert said.startswith("components.link: second joins the same nodes")
    site["grid"]["resale"] = True
    assert scenario(site, trace=False).warnings() == []


def of_ways(value: bool) -> Site:
    return {"cheap": seller(40, "east"), "dear": seller(90, "west"),
            "village": load(8, node="west"), "link": line(both_ways=value)}  # fmt: skip


def three_nodes(**ends: str) -> Site:
    """Energy at 40 in the west, at 60 in the north and at 90 in the east; loads of 8 and 2."""
    return {
        "west_grid": seller(40, "west"), "north_grid": seller(60, "north"),
        "east_grid": seller(90, "east"), "town": load(8, node="east"),
        "mill": load(2, node="north"), "link": line(**ends),
    }  # fmt: skip


FIELDS: dict[str, tuple[tuple[Site, float], tuple[Site, float]]] = {
    "from_node": (
        (three_nodes(from_node="west"), -8 * 40 - 2 * 60),
        (three_nodes(from_node="north"), -8 * 60 - 2 * 60),
    ),
    "to_node": (
        (three_nodes(to_node="east"), -8 * 40 - 2 * 60),
        (three_nodes(to_node="north"), -8 * 90 - 2 * 40),
    ),
    "capacity_mw": ((west_to_east(8), -320), (west_to_east(8, capacity_mw=6), -440)),
    "loss_share": ((west_to_east(8), -320), (west_to_east(8, loss_share=0.5), -640)),
    "both_ways": ((of_ways(True), -320), (of_ways(False), -720)),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_changes_the_sum(field: str) -> None:
    (site, one), (changed, other) = FIELDS[field]
    assert one != other
    assert profit(site) == pytest.approx(one)
    assert profit(changed) == pytest.approx(other)


def test_every_field_has_a_case() -> None:
    from planner.components.line import PowerLine

    assert set(PowerLine.model_fields) - {"kind", "title"} == set(FIELDS)
