"""No secret gets further than the wire: not into a result, not into a log at any level."""

import asyncio
import json
import logging
import os
import sys
import tracemalloc
from pathlib import Path

import pytest

from apple_tokens.model import CouldNotCheck, TokenKind, TokensRead
from check_tokens.bodies import MAX_BODY_BYTES
from check_tokens.decoding import decode_push_certificate
from sandbox import faults, graph_faults
from sandbox.graph_objects import GraphSource
from sandbox.identity import CLIENT_ID
from sandbox.planted import PLANTED_SECRET
from tests.fakegraph import Reading, reading, small_tenant

INTERNAL_ADDRESS = "manage.microsoft.com"


async def read_in_every_way(served: Reading) -> list[object]:
    """Read with a server that ignores `$select`, then with errors that quote internals."""
    served.tenant.ignore_select = True
    results: list[object] = [await served.read()]
    for fault in (graph_faults.forbidden(), graph_faults.unavailable(500), faults.truncated()):
        for plan in served.tenant.faults.values():
            plan.always(fault)
        results.append(await served.read())
    served.identity.revoke_all()
    results.append(await served.read())
    return results


async def test_secrets_that_graph_sends_unasked_appear_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    tenant = small_tenant()
    async with reading(tenant) as served:
        results = await read_in_every_way(served)

        assert all(isinstance(result, TokensRead) for result in results[0].values())  # type: ignore[attr-defined]
        for text in (repr(results), caplog.text):
            assert PLANTED_SECRET not in text
            assert INTERNAL_ADDRESS not in text
            assert served.graph.url not in text


@pytest.mark.usefixtures("every_logger_at_debug")
async def test_secrets_stay_hidden_when_every_library_logs_all_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with reading(small_tenant()) as served:
        for name in ("httpx", "httpcore", "azure.core", "azure.identity", "msal", "urllib3"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        caplog.set_level(logging.DEBUG)
        await read_in_every_way(served)

    assert "httpcore" in {record.name.partition(".")[0] for record in caplog.records}
    assert PLANTED_SECRET not in caplog.text
    assert INTERNAL_ADDRESS not in caplog.text


@pytest.mark.parametrize("surplus", [-1, 0, 1])
async def test_a_body_is_read_up_to_8_mib_and_not_a_byte_further(surplus: int) -> None:
    tenant = small_tenant()
    tenant.faults[GraphSource.ADE].always(faults.huge(MAX_BODY_BYTES + surplus))
    async with reading(tenant) as served:
        result = (await served.read([TokenKind.ADE]))[TokenKind.ADE]

    if surplus > 0:
        assert isinstance(result, CouldNotCheck)
        assert "8 MiB" in result.detail
    else:
        assert isinstance(result, TokensRead)


@pytest.mark.parametrize(
    "fault", [faults.huge(100_000_000), faults.gzip_bomb()], ids=lambda fault: fault.name
)
async def test_bodies_without_end_take_little_memory_even_three_at_a_time(
    fault: faults.Fault,
) -> None:
    tenant = small_tenant()
    for plan in tenant.faults.values():
        plan.always(fault)
    async with reading(tenant) as served:
        tracemalloc.start()
        try:
            results = await served.read()
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert all(isinstance(result, CouldNotCheck) for result in results.values())
    assert peak_bytes < MAX_BODY_BYTES * 1.75


@pytest.mark.parametrize(
    "encoding,body",
    [
        pytest.param("br", b'{"value": []}', id="brotli"),
        pytest.param("deflate", b'{"value": []}', id="deflate"),
        pytest.param("gzip, gzip", b'{"value": []}', id="gzip twice"),
        pytest.param("gzip", b'{"value": []}', id="no gzip after all"),
        pytest.param("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\x56", id="half of it"),
    ],
)
async def test_a_body_that_cannot_be_decompressed_is_an_unexpected_answer(
    encoding: str, body: bytes
) -> None:
    tenant = small_tenant()
    headers = {"Content-Encoding": encoding}
    tenant.faults[GraphSource.ADE].always(faults.answer(200, body, headers=headers))
    async with reading(tenant) as served:
        result = (await served.read([TokenKind.ADE]))[TokenKind.ADE]

    assert isinstance(result, CouldNotCheck)
    assert "compressed" in result.detail


IN_A_NEW_PROCESS = """
import asyncio, json, sys
from check_tokens.graph import GraphClient
from apple_tokens.identity import managed_identity
from check_tokens.sources import read_sources
from apple_tokens.model import TokenKind

async def main(endpoint, client_id):
    scope = "https://graph.microsoft.com/.default"
    async with (
        managed_identity(client_id) as credential,
        GraphClient(credential, endpoint=endpoint, scope=scope) as client,
    ):
        results = await read_sources(client, TokenKind, 50)
    print(json.dumps({
        "results": [type(result).__name__ for result in results.values()],
        "generated": [name for name in sys.modules if name.startswith("msgraph.")],
    }))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_whole_reading_loads_no_generated_model_of_the_sdk() -> None:
    async with reading(small_tenant()) as served:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            IN_A_NEW_PROCESS,
            served.graph.url,
            CLIENT_ID,
            cwd=Path(__file__).parent.parent,
            env=os.environ | served.identity.environment(),
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()

    assert json.loads(printed) == {"results": ["TokensRead"] * 3, "generated": []}


def test_a_body_that_is_no_certificate_names_the_property_and_not_its_value() -> None:
    body = json.dumps({"id": "1", "topicIdentifier": {"x": PLANTED_SECRET}}).encode()
    with pytest.raises(ValueError, match="topicIdentifier") as refusal:
        decode_push_certificate(body)

    assert PLANTED_SECRET not in str(refusal.value)
