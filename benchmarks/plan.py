"""How much is measured: the whole by `make bench`, little of it by the tests."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.node import ROOT
from sandbox.package import LIBRARIES, TREE

TYPED_PEER = ROOT / "build" / "typed-peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure, and how often."""

    pairs: int = 15
    warms_up: bool = True
    """Whether a round that is not counted goes before: it fills the caches of files."""
    typed_pairs: int = 3
    """None leaves the typed peer out, which takes minutes."""
    n_ade: int = 2_000
    n_vpp: int = 3_000
    sizes: tuple[tuple[int, int], ...] = ((4, 6), (40, 60), (400, 600), (2_000, 3_000))
    """Tenants for the growth: ADE and VPP tokens."""
    app: Path = TREE
    libraries: Path = TREE / LIBRARIES

    @property
    def n_tokens(self) -> int:
        """Return how many tokens the tenant has, its push certificate included."""
        return self.n_ade + self.n_vpp + 1
