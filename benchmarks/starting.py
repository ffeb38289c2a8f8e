"""(c) The start of the app and (d) a tick with nothing due, against an app that does nothing."""

import statistics
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Target, ratio
from benchmarks.plan import Plan
from benchmarks.samples import SUBJECTS, Sample, Subject, pairs
from benchmarks.scene import NOW, recorded_requests, recording, scene
from sandbox.azurite import Azurite

_EMPTY = SUBJECTS / "empty"


async def measure(plan: Plan, azurite: Azurite) -> list[Figure]:
    """Start both apps in turn, then let both tick."""
    figures, generated = list[Figure](), 0
    with tempfile.TemporaryDirectory() as nothing:
        # Looked for in an empty folder, and never written: all is compiled at the start.
        without = ("-B", "-X", f"pycache_prefix={nothing}")
        for name, options in (("with bytecode", ()), ("without bytecode", without)):
            ours = Subject(
                script="start.py", app=plan.app, libraries=plan.libraries, options=options
            )
            empty = Subject(
                script="start.py", app=_EMPTY, libraries=plan.libraries, options=options
            )
            of_ours, of_empty = await pairs(
                plan.pairs,
                [partial(ours.run, {}), partial(empty.run, {})],
                warms_up=plan.warms_up,
            )
            generated = max(generated, *(sample.counts["generated"] for sample in of_ours))
            figures.append(
                Figure(
                    part="c",
                    what=f"start of the app {name}, against an empty one",
                    value=_ratio(of_ours, of_empty),
                    unit="×",
                    target=Target(at_most=2) if not options else None,
                    beside=f"modules {of_ours[0].counts['modules']:,} : "
                    f"{of_empty[0].counts['modules']:,}, memory {_peak(of_ours):.0f} : "
                    f"{_peak(of_empty):.0f} MB",
                )
            )
    figures.append(
        Figure(
            part="c",
            what="modules of the SDK's models loaded at start",
            value=generated,
            unit="",
            target=Target(at_most=0),
            beside="no connection and no key derivation either: `tests/test_cost.py`",
        )
    )
    return figures + await _tick(plan, azurite)


async def _tick(plan: Plan, azurite: Azurite) -> list[Figure]:
    libraries = plan.libraries
    later = (NOW + timedelta(minutes=30)).isoformat()
    first = Subject(
        script="check_app.py", app=plan.app, libraries=libraries, arguments=(NOW.isoformat(),)
    )
    ours = Subject(script="tick.py", app=plan.app, libraries=libraries, arguments=(later,))
    empty = Subject(script="tick.py", app=_EMPTY, libraries=libraries)
    with tempfile.TemporaryDirectory() as folder:
        recorded = Path(folder, "tick")
        async with scene(azurite, 1, 1) as served:
            served.empty_tables()
            await first.run(served.environment)
            async with recording(served, recorded) as environment:
                await ours.run(environment)
            requests = len(recorded_requests(recorded))
            of_ours, of_empty = await pairs(
                plan.pairs,
                [partial(ours.run, served.environment), partial(empty.run, served.environment)],
                warms_up=plan.warms_up,
            )
    return [
        Figure(
            part="d",
            what="requests of a tick with nothing due",
            value=requests,
            unit="",
            target=Target(at_most=1),
            beside=f"time {_ratio(of_ours, of_empty):.1f} × an empty function's, start included; "
            f"modules {of_ours[0].counts['modules']:,} : {of_empty[0].counts['modules']:,}",
        )
    ]


def _ratio(ours: list[Sample], others: list[Sample]) -> float:
    return ratio([each.wall_s for each in ours], [each.wall_s for each in others])


def _peak(samples: list[Sample]) -> float:
    return statistics.median(sample.peak_mb for sample in samples)
