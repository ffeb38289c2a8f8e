"""(a) Reading the largest tenant: our sources, the typed SDK, and bare httpx with json."""

import subprocess
import sysconfig
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, Target, ratio
from benchmarks.plan import TYPED_PEER, Plan
from benchmarks.samples import Sample, SampleError, Subject, pairs
from benchmarks.scene import PAGE_SIZE, scene
from sandbox.azurite import Azurite
from sandbox.node import ROOT

TYPED = "msgraph-beta-sdk==1.66.0"


async def measure(plan: Plan, azurite: Azurite) -> list[Figure]:
    """Read the same pages of the same server, in turn."""
    ours = Subject(script="read_app.py", app=plan.app, libraries=plan.libraries)
    floor = Subject(script="read_floor.py", app=plan.app, libraries=plan.libraries)
    typed = Subject(script="read_typed.py", app=TYPED_PEER, libraries=TYPED_PEER)
    async with scene(azurite, plan.n_ade, plan.n_vpp) as served:
        before = served.graph.count
        await ours.run(served.signed_in)
        requests = served.graph.count - before
        figures, samples = list[Figure](), list[Sample]()
        for what, environment, target, counted in (
            (
                "reading the largest tenant, against bare httpx and json",
                served.signed_in,
                Target(at_most=2.5),
                f"{requests} requests of Graph, pages of {PAGE_SIZE:,}; ",
            ),
            (
                "signing in too, through azure-identity, against the same by hand",
                served.environment,
                None,
                "",
            ),
        ):
            read = [partial(each.run, environment) for each in (ours, floor)]
            of_ours, of_floor = await pairs(plan.pairs, read, warms_up=plan.warms_up)
            samples += [*of_ours, *of_floor]
            figures.append(
                Figure(
                    part="a",
                    what=what,
                    value=ratio(*_walls(of_ours, of_floor)),
                    unit="×",
                    target=target,
                    beside=counted + _beside(of_ours, of_floor),
                )
            )
        if plan.typed_pairs:
            install_typed()
            # Ours takes turns with it several times: what lasts half a second is easily disturbed.
            read = [
                partial(typed.run, served.signed_in),
                *[partial(ours.run, served.signed_in)] * 5,
            ]
            of_typed, *others = await pairs(plan.typed_pairs, read, warms_up=plan.warms_up)
            of_ours = [sample for each in others for sample in each]
            samples += [*of_typed, *of_ours]
            figures.append(
                Figure(
                    part="a",
                    what="the typed calls of msgraph-beta-sdk, against ours",
                    value=ratio(*_walls(of_typed, of_ours)),
                    unit="×",
                    target=Target(at_least=100),
                    beside=_beside(of_typed, of_ours),
                )
            )
    for sample in samples:
        if sample.counts["tokens"] != plan.n_tokens:
            raise SampleError(f"{sample.counts['tokens']} tokens were read, not {plan.n_tokens}")
    return figures


def install_typed() -> None:
    """Install the typed SDK into a folder of its own, once, in the versions of our lock."""
    if (TYPED_PEER / "msgraph_beta").is_dir():
        return
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    locked = ROOT / "requirements-dev.txt"
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--target", TYPED_PEER, "--constraint", locked, TYPED],
        check=True,
    )


def _walls(*samples: list[Sample]) -> list[list[float]]:
    return [[sample.wall_s for sample in each] for each in samples]


def _beside(ours: list[Sample], other: list[Sample]) -> str:
    a, b = ours[0], other[0]
    return (
        f"modules {a.counts['modules']:,} : {b.counts['modules']:,}, "
        f"memory {a.peak_mb:.0f} : {b.peak_mb:.0f} MB"
    )
