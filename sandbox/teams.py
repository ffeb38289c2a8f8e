"""Be a Teams channel with the Workflows webhook "When a Teams webhook request is received"."""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from sandbox.faults import FaultPlan
from sandbox.planted import planted_secret
from sandbox.server import LoopbackServer
from sandbox.teams_flow import Card, FlowKind, run_flow

_PATH = (
    "/powerautomate/automations/direct/workflows/3f9c1d0e7b2a4c658e1fd0a9b7c6e542"
    "/triggers/manual/paths/invoke"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the flow: the cards that appeared in the channel, or why it failed.

    `error` is what stands in the run history. The sender got 202 all the same.
    """

    at: datetime
    payload: bytes
    cards: tuple[Card, ...]
    error: str


class TeamsChannel(LoopbackServer):
    """A channel that keeps what was posted to it, in order, with the time on the `now` given.

    `now` is the simulated clock: set it before something may be posted. `switched_on` is the flow's
    switch; `responds` makes it a flow with a Response action, which answers 200 instead of 202. A
    fault of `after` strikes once the card is in the channel: the sender does not hear of it.
    """

    def __init__(self, now: datetime, *, kind: FlowKind = FlowKind.MESSAGE) -> None:
        super().__init__()
        self.now = now
        self.switched_on = True
        self.responds = False
        self.faults = FaultPlan()
        self.after = FaultPlan()
        self.runs: list[Run] = []
        self.requests = 0
        self._kind = kind
        self._signature = planted_secret("webhook-sig")

    @property
    def webhook_url(self) -> str:
        """The address to post to, as long and as secret as a real one."""
        query = f"api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={self._signature}"
        return f"{self.url}{_PATH}?{query}"

    @property
    def posts(self) -> list[Run]:
        """The runs whose cards appeared in the channel."""
        return [run for run in self.runs if not run.error]

    @property
    def failed_runs(self) -> list[Run]:
        """The runs that were accepted with 202 and failed in the run history."""
        return [run for run in self.runs if run.error]

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; a fault takes its place before the flow is run."""
        self.requests += 1
        payload = await request.read()
        fault = self.faults.next()
        if fault is not None:
            return await fault.play(request, web.Response(status=202))
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        try:
            body = json.loads(payload)
        except ValueError:
            return _error(
                400,
                "InvalidRequestContent",
                "The request content is not valid and could not be deserialized.",
            )
        verdict = run_flow(body, self._kind)
        self.runs.append(
            Run(at=self.now, payload=payload, cards=verdict.cards, error=verdict.error)
        )
        accepted = web.Response(status=200 if self.responds else 202)
        fault = self.after.next()
        return accepted if fault is None else await fault.play(request, accepted)

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        if request.path != _PATH:
            return _error(404, "WorkflowNotFound", "The workflow could not be found.")
        if request.method != "POST":
            return _error(405, "MethodNotAllowed", "The trigger accepts POST.")
        if "api-version" not in request.query:
            return _error(
                400, "MissingApiVersionParameter", "The api-version query parameter is required."
            )
        if not hmac.compare_digest(request.query.get("sig", ""), self._signature):
            message = "The request must be authenticated only by Shared Access scheme."
            return _error(401, "DirectApiAuthorizationRequired", message)
        if not self.switched_on:
            message = (
                "Could not execute workflow trigger 'manual' with state 'Disabled': "
                "trigger is not enabled."
            )
            return _error(400, "WorkflowTriggerIsNotEnabled", message)
        return None


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
