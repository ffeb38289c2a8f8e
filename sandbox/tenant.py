"""A simulated Intune tenant: what Graph knows of its Apple tokens, and how Graph behaves."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from sandbox.dates import graph_date
from sandbox.faults import FaultPlan
from sandbox.graph_objects import (
    EXPIRY_PROPERTIES,
    NAME_PROPERTIES,
    GraphObject,
    GraphSource,
    graph_object,
    spell_value,
)

#: The tenant of all examples; the access tokens of the sandbox carry it as `tid`.
TENANT_ID = "5f0c8b1e-7a3d-4c1e-9b62-0d6a4f2e8c17"


class SimulatedTenant:
    """The Apple tokens of one tenant, to be changed while it is being served.

    Tokens are plain Graph JSON (`ade`, `vpp`, `push`): a test may put anything into them, also what
    Graph should never send. Methods that take dates accept "+20d" and its like, relative to `now`.
    """

    def __init__(
        self, *, tenant_id: str = TENANT_ID, page_size: int = 100, empty_pages: int = 0
    ) -> None:
        self.tenant_id = tenant_id
        self.ade: list[GraphObject] = []
        self.vpp: list[GraphObject] = []
        self.push: GraphObject | None = None
        self.page_size = page_size
        self.empty_pages = empty_pages  # so many pages without tokens between two with some
        self.ignore_select = False  # send every property, the secrets too, whatever was asked
        self.faults = {source: FaultPlan() for source in GraphSource}
        self._stuck: set[str] = set()
        self._namesakes: Counter[str] = Counter()

    def add(
        self, source: GraphSource, now: datetime, *, stuck: bool = False, **properties: object
    ) -> GraphObject:
        """Add a token that is healthy but for the properties given; `stuck` ones never `sync`.

        Without an `id`, it gets one that is the same in every run: made from its kind and name.
        """
        seed = f"{source}/{properties.get(NAME_PROPERTIES[source], '')}"
        self._namesakes[seed] += 1
        made_id = str(uuid5(NAMESPACE_OID, f"{seed}/{self._namesakes[seed]}"))
        spelling = len(self._of(source))
        token = graph_object(source, {"id": made_id, **properties}, now, spelling)
        if source is GraphSource.PUSH:
            self.push = token
        else:
            self._of(source).append(token)
        if stuck:
            self._stuck.add(str(token["id"]))
        return token

    def find(self, token: str) -> tuple[GraphSource, GraphObject]:
        """Find a token by id, or by name where that is unique; raise LookupError otherwise."""
        found = [
            (source, candidate)
            for source in GraphSource
            for candidate in self._of(source)
            if token in (candidate.get("id"), candidate.get(NAME_PROPERTIES[source]))
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} tokens are called {token!r}: use the id")
        return found[0]

    def change(self, token: str, now: datetime, **properties: object) -> None:
        """Change properties of one token."""
        source, found = self.find(token)
        unknown = sorted(properties.keys() - found.keys())
        if unknown:
            raise ValueError(f"{source} has no property {', '.join(unknown)}")
        for key, value in properties.items():
            found[key] = spell_value(key, value, now)

    def renew(self, token: str, now: datetime, until: str = "+365d") -> None:
        """Renew one token as an administrator does: a later date, and what Intune resets with it.

        The last sync stays: Intune has not asked Apple with the new token yet. The topic of the
        push certificate stays, as it does when the same Apple account renews; its serial number
        changes.
        """
        source, found = self.find(token)
        self.change(token, now, **{EXPIRY_PROPERTIES[source]: until, "lastModifiedDateTime": "now"})
        match source:
            case GraphSource.ADE:
                found["lastSyncErrorCode"] = 0
            case GraphSource.VPP:
                found["state"] = "valid"
            case GraphSource.PUSH:
                serial = int(str(found["certificateSerialNumber"]), 16) + 1
                found["certificateSerialNumber"] = f"{serial:016X}"

    def remove(self, token: str) -> None:
        """Delete one token, as in the Intune admin center."""
        source, found = self.find(token)
        if source is GraphSource.PUSH:
            self.push = None
        else:
            self._of(source).remove(found)

    def sync(self, now: datetime) -> None:
        """Let the days pass: every token that can be synced was synced three hours ago.

        Left alone are stuck tokens, expired ones, ADE tokens with an error, and VPP tokens that are
        not valid or whose last sync failed.
        """
        synced_at = graph_date(now - timedelta(hours=3), 1)
        for token in self.ade:
            if self._works(GraphSource.ADE, token, now) and not token["lastSyncErrorCode"]:
                token["lastSuccessfulSyncDateTime"] = token["lastSyncTriggeredDateTime"] = synced_at
        for token in self.vpp:
            healthy = (token["state"], token["lastSyncStatus"]) == ("valid", "completed")
            if self._works(GraphSource.VPP, token, now) and healthy:
                token["lastSyncDateTime"] = synced_at

    def objects(self, source: GraphSource) -> list[GraphObject]:
        """List what Graph has of one kind: for the push certificate one object or none."""
        return list(self._of(source))

    def _works(self, source: GraphSource, token: GraphObject, now: datetime) -> bool:
        expires_at = datetime.fromisoformat(str(token[EXPIRY_PROPERTIES[source]]))
        return token["id"] not in self._stuck and expires_at > now

    def _of(self, source: GraphSource) -> list[GraphObject]:
        if source is GraphSource.ADE:
            return self.ade
        if source is GraphSource.VPP:
            return self.vpp
        return [self.push] if self.push is not None else []
