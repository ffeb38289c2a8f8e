"""(b) A whole check on Azurite against its own requests, sent by hand.

Each sample finds the tables alike: emptied, then brought to the state of the day before by sending
what was recorded of that day's check.
"""

import math
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from benchmarks.figures import Figure, Target, ratio
from benchmarks.plan import Plan
from benchmarks.samples import Sample, Subject, pairs
from benchmarks.scene import NOW, Scene, recorded_requests, recording, scene
from sandbox.azurite import Azurite

NEXT_DAY = NOW + timedelta(days=1)
MAX_MB = 120
_TIMES = Target(at_most=1.3)
_ALL_CHANGED = "a check in which every token has changed"


async def measure(plan: Plan, azurite: Azurite) -> list[Figure]:
    """Measure a first check, one in which every token has changed, and one without a change."""
    figures = list[Figure]()
    with tempfile.TemporaryDirectory() as folder:
        first, later = Path(folder, "first"), Path(folder, "later")
        async with scene(azurite, plan.n_ade, plan.n_vpp) as served:
            runs = _Runs(plan, served)
            served.empty_tables()
            await runs.record(NOW.isoformat(), first)
            figures += await runs.compare("a first check", NOW.isoformat(), first, None)
            for what in ("a check without a change", _ALL_CHANGED):
                if what == _ALL_CHANGED:
                    change_all(served)
                served.empty_tables()
                await runs.replay(first, tables_alone=True)
                await runs.record(NEXT_DAY.isoformat(), later)
                figures += await runs.compare(what, NEXT_DAY.isoformat(), later, first)
        figures += _counts(plan, later)
    return figures


def change_all(served: Scene) -> None:
    """Change something of every token that its history names."""
    for token in served.tenant.ade:
        token["appleIdentifier"] = "other@contoso.example"
    for token in served.tenant.vpp:
        token["appleId"] = "other@contoso.example"
    if served.tenant.push is not None:
        served.tenant.push["appleIdentifier"] = "other@contoso.example"
    served.graph.forget()


class _Runs:
    def __init__(self, plan: Plan, served: Scene) -> None:
        self._plan = plan
        self._served = served

    def _subject(self, script: str, *arguments: str) -> Subject:
        plan = self._plan
        return Subject(script=script, app=plan.app, libraries=plan.libraries, arguments=arguments)

    async def record(self, at: str, file: Path) -> None:
        async with recording(self._served, file) as environment:
            await self._subject("check_app.py", at).run(environment)

    async def replay(self, file: Path, *, tables_alone: bool = False) -> Sample:
        alone = ("tables",) if tables_alone else ()
        subject = self._subject("check_floor.py", str(file), *alone)
        return await subject.run(self._served.environment)

    async def compare(self, what: str, at: str, file: Path, before: Path | None) -> list[Figure]:
        async def prepared(run: Callable[[], Awaitable[Sample]]) -> Sample:
            self._served.empty_tables()
            if before is not None:
                await self.replay(before, tables_alone=True)
            return await run()

        check = self._subject("check_app.py", at)
        ours, floor = await pairs(
            self._plan.pairs,
            [
                lambda: prepared(lambda: check.run(self._served.environment)),
                lambda: prepared(lambda: self.replay(file)),
            ],
            warms_up=self._plan.warms_up,
        )
        peak_mb = statistics.median(sample.peak_mb for sample in ours)
        counts = floor[0].counts
        return [
            Figure(
                part="b",
                what=f"{what}, against the same requests by hand",
                value=ratio([each.wall_s for each in ours], [each.wall_s for each in floor]),
                unit="×",
                target=_TIMES if what == _ALL_CHANGED else None,
                beside=f"{counts['requests']} requests of the tables, of which "
                f"{counts['transactions']} transactions",
            ),
            Figure(
                part="b",
                what=f"{what}: peak memory",
                value=peak_mb,
                unit="MB",
                target=Target(at_most=MAX_MB),
                beside=f"the floor {statistics.median(s.peak_mb for s in floor):.0f} MB",
            ),
        ]


def _counts(plan: Plan, recorded: Path) -> list[Figure]:
    """Count what the check with every token changed asked of the tables."""
    requests = recorded_requests(recorded)
    of_tokens = [path for method, path, *_ in requests if method == "GET" and "run." not in path]
    status = sum("/tokenstatus()" in path for path in of_tokens)
    written_to = [
        [address for _, address, *_ in operations]
        for _, path, _, operations, _ in requests
        if path.endswith("$batch")
    ]
    most = math.ceil(plan.n_tokens / 100)
    figures = list[Figure]()
    for table in ("tokenhistory", "tokenstatus"):
        # The run rows are a transaction of their own.
        written = sum(
            any(f"/{table}(" in address and "RowKey='run." not in address for address in addresses)
            for addresses in written_to
        )
        figures.append(
            Figure(
                part="b",
                what=f"transactions that write {table}",
                value=written,
                unit="",
                # Where no table was, the first is refused, and sent once more after it was made.
                target=Target(at_most=most + (table == "tokenhistory")),
                beside=f"{plan.n_tokens:,} rows, 100 a transaction",
            )
        )
    queries = Figure(
        part="b",
        what="queries of previous rows",
        value=status,
        unit="",
        target=Target(at_most=math.ceil(plan.n_tokens / 1_000)),
        beside=f"{plan.n_tokens:,} rows, 1,000 a query",
    )
    return [queries, *figures]
