"""Drive the app through the code that Azure runs on Python 3.13 and up, with stand-in messages.

`azure-functions-runtime` is handed protobuf classes by the process around it. It builds and reads
them by name only, so objects with the same attributes do. It is no public API, and pinned for it.
"""

import importlib
from types import SimpleNamespace
from typing import Any

RUNTIME = "azure_functions_runtime"


class Message(SimpleNamespace):
    """A protobuf message: the fields it was made with, and which of the alternatives is set."""

    def WhichOneof(self, _name: str) -> str | None:  # noqa: N802 -- protobuf's name
        return next(iter(vars(self)), None)


class _StatusResult(Message):
    Failure = "failure"
    Success = "success"


class _BindingInfo(Message):
    out = 1
    inout = 2
    undefined = None


class Protos:
    """The protobuf classes, each made when it is asked for."""

    StatusResult = _StatusResult
    BindingInfo = _BindingInfo

    def __getattr__(self, name: str) -> type[Message]:
        return type(name, (Message,), {})


class Worker:
    """A worker that has loaded the function app in the folder given."""

    def __init__(self, folder: str) -> None:
        self._runtime = importlib.import_module(RUNTIME)
        self._folder = folder

    async def start(self) -> Message:
        """Load and index the app."""
        request = Message(capabilities={}, function_app_directory=self._folder)
        return await self._send("worker_init_request", request)

    async def functions(self) -> dict[str, Message]:
        """Ask which functions the app has, and load each of them as the host does."""
        answer = await self._send("functions_metadata_request", Message())
        found = {each.name: each for each in answer.function_metadata_results}
        for function in found.values():
            request = Message(function_id=function.function_id)
            loaded = await self._send("function_load_request", request)
            assert loaded.result.status == _StatusResult.Success
        return found

    async def fire(self, function: Message) -> Message:
        """Invoke a function as its timer does."""
        return await self._invoke(function, "timer", Message(json='{"IsPastDue": false}'), {})

    async def hand_over(self, function: Message, body: str, dequeue_count: int = 1) -> Message:
        """Invoke a function with a queue message."""
        metadata = {"Id": Message(string="m-1"), "DequeueCount": Message(json=str(dequeue_count))}
        return await self._invoke(function, "ticket", Message(string=body), metadata)

    async def _invoke(
        self, function: Message, name: str, data: Message, metadata: dict[str, Message]
    ) -> Message:
        bound = _Bound(name=name, data=data)
        request = Message(
            invocation_id="i-1",
            function_id=function.function_id,
            input_data=[bound],
            trigger_metadata=metadata,
            trace_context=Message(trace_parent="", trace_state="", attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
        )
        return await self._send("invocation_request", request)

    async def _send(self, kind: str, request: Message) -> Message:
        envelope = Message(
            request=Message(**{kind: request}), properties={"host": "", "protos": Protos()}
        )
        handle: Any = getattr(self._runtime, kind)
        answer: Message = await handle(envelope)
        return answer


class _Bound(Message):
    """An input of an invocation, handed over as data."""

    def WhichOneof(self, _name: str) -> str | None:  # noqa: N802 -- protobuf's name
        return "data"
