"""Read a scenario file: a tenant as an administrator would describe it, and what happens to it.

The files in `sandbox/scenarios` are TOML. Tokens have the property names of Graph, so that they
can be compared with Graph Explorer; what is not said about a token is healthy. Dates are relative
to the moment at which the tenant is built, those of a step to the moment at which it happens.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from sandbox.graph_faults import NAMED_FAULTS
from sandbox.graph_objects import GraphSource
from sandbox.tenant import SimulatedTenant

SCENARIOS = Path(__file__).parent / "scenarios"

# Graph's JSON: the values are as varied as its properties. `stuck` and `token` are taken out here.
_Table = dict[str, Any]

#: Ends a fault in a step.
_HEALED = "none"


class ScenarioError(ValueError):
    """A scenario file says something that cannot be; the message names the file and the place."""


class _Step(msgspec.Struct, forbid_unknown_fields=True):
    about: str
    sync: bool = True
    change: list[_Table] = []
    renew: list[_Table] = []
    remove: list[str] = []
    faults: dict[GraphSource, str] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    about: str
    page_size: int = msgspec.field(name="page_size", default=100)
    empty_pages: int = msgspec.field(name="empty_pages", default=0)
    ignore_select: bool = msgspec.field(name="ignore_select", default=False)
    dep_onboarding_settings: list[_Table] = []
    vpp_tokens: list[_Table] = []
    apple_push_notification_certificate: _Table | None = None
    faults: dict[GraphSource, str] = {}
    steps: dict[str, _Step] = {}


class Scenario:
    """One scenario file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = msgspec.toml.decode(path.read_bytes(), type=_File)
        except (OSError, msgspec.DecodeError) as error:
            raise ScenarioError(f"{path.name}: {error}") from error

    @property
    def about(self) -> str:
        """What the scenario shows, in a sentence."""
        return self._file.about

    @property
    def steps(self) -> list[str]:
        """The names of what can happen, in the order of the file."""
        return list(self._file.steps)

    def about_step(self, step: str) -> str:
        """Say what happens in a step, in a sentence."""
        return self._step(step).about

    def tenant(self, now: datetime) -> SimulatedTenant:
        """Build the tenant as it is at `now`."""
        file = self._file
        tenant = SimulatedTenant(page_size=file.page_size, empty_pages=file.empty_pages)
        tenant.ignore_select = file.ignore_select
        push = file.apple_push_notification_certificate
        tables = {
            GraphSource.ADE: file.dep_onboarding_settings,
            GraphSource.VPP: file.vpp_tokens,
            GraphSource.PUSH: [] if push is None else [push],
        }
        try:
            for source, tokens in tables.items():
                for token in tokens:
                    tenant.add(source, now, **token)
            _set_faults(tenant, file.faults)
        except ValueError as error:
            raise ScenarioError(f"{self._path.name}: {error}") from error
        return tenant

    def play(self, step: str, tenant: SimulatedTenant, now: datetime) -> None:
        """Let a step happen to the tenant: first the syncs due by now, then the changes."""
        played = self._step(step)
        try:
            if played.sync:
                tenant.sync(now)
            for table in played.change:
                tenant.change(now=now, **table)
            for table in played.renew:
                tenant.renew(now=now, **table)
            for token in played.remove:
                tenant.remove(token)
            _set_faults(tenant, played.faults)
        except (LookupError, TypeError, ValueError) as error:
            raise ScenarioError(f"{self._path.name}, step {step}: {error}") from error

    def _step(self, step: str) -> _Step:
        try:
            return self._file.steps[step]
        except KeyError as error:
            known = ", ".join(self.steps) or "none"
            raise ScenarioError(f"{self._path.name} has no step {step}, only: {known}") from error


def load_scenario(name: str) -> Scenario:
    """Load one of the project's own scenarios by the name of its file, without `.toml`."""
    return Scenario(SCENARIOS / f"{name}.toml")


def _set_faults(tenant: SimulatedTenant, faults: dict[GraphSource, str]) -> None:
    for source, name in faults.items():
        if name == _HEALED:
            tenant.faults[source].clear()
        elif name in NAMED_FAULTS:
            tenant.faults[source].always(NAMED_FAULTS[name]())
        else:
            known = ", ".join([*NAMED_FAULTS, _HEALED])
            raise ValueError(f"there is no fault {name!r}, only: {known}")
