"""Make a tenant as large as Apple allows, with problems of known number."""

from collections.abc import Iterator
from datetime import datetime

from sandbox.graph_objects import NAME_PROPERTIES, GraphSource
from sandbox.tenant import SimulatedTenant

#: What is wrong with the tokens that have a problem: one pair of problem and stage each.
LARGE_TENANT_PROBLEMS: dict[GraphSource, dict[str, dict[str, object]]] = {
    GraphSource.ADE: {
        "expired": {"tokenExpirationDateTime": "-2d"},
        "expires in 2 days": {"tokenExpirationDateTime": "+2d 12h"},
        "expires in 10 days": {"tokenExpirationDateTime": "+10d 12h"},
        "terms not accepted": {"lastSyncErrorCode": 3},
    },
    GraphSource.VPP: {
        "expires in 20 days": {"expirationDateTime": "+20d 12h"},
        "invalid": {"state": "invalid"},
        "in other MDM": {"state": "assignedToExternalMDM"},
        "duplicate location": {"state": "duplicateLocationId"},
    },
}


def large_tenant(
    now: datetime,
    *,
    n_ade: int = 2_000,
    n_vpp: int = 3_000,
    n_problems: int = 3_000,
    page_size: int = 100,
    empty_pages: int = 1,
) -> SimulatedTenant:
    """Make a tenant with a push certificate and so many tokens, some of them with a problem.

    Half of the problems are of ADE tokens, half of VPP tokens; each kind's problems are dealt out
    in turn and evenly over the pages. The same arguments make the same tenant.
    """
    tenant = SimulatedTenant(page_size=page_size, empty_pages=empty_pages)
    tenant.add(GraphSource.PUSH, now)
    for source, count, problems in (
        (GraphSource.ADE, n_ade, n_problems // 2),
        (GraphSource.VPP, n_vpp, n_problems - n_problems // 2),
    ):
        for number, (problem, properties) in enumerate(_deal(source, count, problems)):
            name = {NAME_PROPERTIES[source]: f"{source} {number:04}: {problem}"}
            tenant.add(source, now, stuck=False, **name, **properties)
    return tenant


def _deal(
    source: GraphSource, count: int, problems: int
) -> Iterator[tuple[str, dict[str, object]]]:
    if problems > count:
        raise ValueError(f"{problems} problems do not fit on {count} {source}")
    kinds = list(LARGE_TENANT_PROBLEMS[source].items())
    dealt = 0
    for number in range(count):
        if (number + 1) * problems // count > dealt:
            yield kinds[dealt % len(kinds)]
            dealt += 1
        else:
            yield "healthy", {}
