"""Generated input that counts what it was: a property that saw input of one sort only shows little.

How many examples are drawn says the profile in `conftest`. A sort that did not come up in the first
round gets more rounds, so that a rare one is no reason to fail, and one that never comes is.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.hostile import LISTED

Drawn = TypeVar("Drawn")

MARK = "qz7-never-to-be-quoted"
"""Stands in generated values that no error may quote."""
_ROUNDS = 5
_FEWEST_EXAMPLES = 15

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(LISTED),
    st.sampled_from(
        ["x" * 10_000, "漢" * 10_000, "📱" * 5_000, "\u202eevil\u202c", "zero\u200bwidth"]
    ),
)
"""What somebody may call something who is careless, or means no good."""
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | TEXTS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts),
    max_leaves=6,
)
"""Any JSON at all."""


def explore(
    inputs: st.SearchStrategy[Drawn],
    examine: Callable[[Drawn], Iterable[str]],
    *,
    must: Iterable[str],
    share: int = 1,
) -> str:
    """Examine generated inputs, and say how many there were of each sort that `examine` names.

    Fail when a sort that must occur does not. An expensive property takes a `share` of the
    profile's examples: every fourth, for example.
    """
    seen = Counter[str]()

    @wraps(examine)
    def count(*drawn: Drawn, **named: Drawn) -> None:
        seen.update(["examples", *examine(*drawn, **named)])

    profile = settings()
    wanted = max(profile.max_examples // share, _FEWEST_EXAMPLES)
    # To find the shortest example that fails takes minutes where each takes long.
    phases = [phase for phase in Phase if share == 1 or phase is not Phase.shrink]
    for number in range(_ROUNDS):
        rounds = settings(
            max_examples=wanted, phases=phases, suppress_health_check=list(HealthCheck)
        )
        check = rounds(given(inputs)(count))
        # Where the same examples are drawn each time, another round needs another seed.
        (seed(number)(check) if profile.derandomize else check)()
        if set(must) <= seen.keys():
            break
    never = set(must) - seen.keys()
    assert not never, f"this never occurred, so nothing was shown about it: {sorted(never)}"
    total = seen.pop("examples")
    return f"{total} examples: {', '.join(f'{n} {sort}' for sort, n in sorted(seen.items()))}"
