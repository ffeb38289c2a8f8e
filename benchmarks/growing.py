"""(e) How the cost of a check grows with the tenant: in processor time, which waits for nobody."""

import statistics
import tempfile
from datetime import timedelta
from pathlib import Path

from benchmarks.checking import change_all
from benchmarks.figures import Figure, Target, fit
from benchmarks.plan import Plan
from benchmarks.samples import Subject
from benchmarks.scene import NOW, recording, scene
from sandbox.azurite import Azurite

FURTHEST = 0.25
"""So far, in parts of itself, may a cost lie off the line."""


async def measure(plan: Plan, azurite: Azurite) -> list[Figure]:
    """Check tenants of all sizes, changed and unchanged, and fit a line through each."""
    costs = {"unchanged": list[tuple[float, float]](), "changed": list[tuple[float, float]]()}
    empty = await _cost(plan, azurite, 0, 0, changed=False)
    for n_ade, n_vpp in plan.sizes:
        for name, points in costs.items():
            cost_s = await _cost(plan, azurite, n_ade, n_vpp, changed=name == "changed")
            points.append((n_ade + n_vpp + 1, cost_s))
    figures = list[Figure]()
    for name, points in costs.items():
        line = fit(points)
        sizes = ", ".join(f"{size:,.0f}: {cost_s / empty:.1f} ×" for size, cost_s in points)
        figures += [
            Figure(
                part="e",
                what=f"growth, {name} tokens: furthest from a line",
                value=line.furthest(points),
                unit="×",
                target=Target(at_most=FURTHEST),
                beside=f"the empty check's cost, by tokens: {sizes}",
            ),
            Figure(
                part="e",
                what=f"growth, {name} tokens: fixed part, against the empty check",
                value=line.fixed / empty,
                unit="×",
                target=Target(at_most=2),
            ),
        ]
    return figures


async def _cost(plan: Plan, azurite: Azurite, n_ade: int, n_vpp: int, *, changed: bool) -> float:
    """Return the median processor time of the second day's check, in seconds."""
    first, second = (
        Subject(
            script="check_app.py",
            app=plan.app,
            libraries=plan.libraries,
            arguments=((NOW + timedelta(days=day)).isoformat(),),
        )
        for day in (0, 1)
    )
    costs_s = list[float]()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "first")
        async with scene(azurite, n_ade, n_vpp, push=bool(n_ade)) as served:
            served.empty_tables()
            async with recording(served, file) as environment:
                await first.run(environment)
            if changed:
                change_all(served)
            replay = Subject(
                script="check_floor.py",
                app=plan.app,
                libraries=plan.libraries,
                arguments=(str(file), "tables"),
            )
            for _ in range(max(1, plan.pairs // 3)):
                served.empty_tables()
                await replay.run(served.environment)
                sample = await second.run(served.environment)
                costs_s.append(sample.processor_s)
    return statistics.median(costs_s)
