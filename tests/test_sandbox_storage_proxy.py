"""Storage fails on demand, before or after its work, and keeps what it holds."""

from collections.abc import AsyncIterator

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from sandbox import faults
from sandbox.azurite import Azurite
from sandbox.storage_proxy import StorageProxy

pytestmark = pytest.mark.e2e


@pytest.fixture
async def proxy(azurite: Azurite, storage: str) -> AsyncIterator[StorageProxy]:
    assert storage  # emptied
    async with StorageProxy(azurite) as proxy:
        yield proxy


def table(proxy: StorageProxy) -> TableClient:
    return TableClient.from_connection_string(proxy.connection_string, "rows", retry_total=0)


async def keys(client: TableClient) -> list[str]:
    return sorted([entity["RowKey"] async for entity in client.list_entities()])


async def test_tables_work_through_the_proxy_also_transactions_and_odd_keys(
    proxy: StorageProxy,
) -> None:
    rows = [{"PartitionKey": "p", "RowKey": f"a%2Fb {n} 東", "Value": n} for n in range(100)]
    async with table(proxy) as client:
        await client.create_table()
        await client.submit_transaction([("upsert", row) for row in rows])
        row = await client.get_entity("p", "a%2Fb 7 東")

        assert row["Value"] == 7
        assert len(await keys(client)) == 100
    assert "POST /devstoreaccount1/$batch" in proxy.table.requests


async def test_queues_work_through_the_proxy(proxy: StorageProxy) -> None:
    async with QueueClient.from_connection_string(proxy.connection_string, "mine") as queue:
        await queue.create_queue()
        await queue.send_message("Hello <you> & 東京")
        message = await queue.receive_message()

    assert message is not None
    assert message.content == "Hello <you> & 東京"


async def test_a_fault_before_the_work_leaves_nothing_written(proxy: StorageProxy) -> None:
    async with table(proxy) as client:
        await client.create_table()
        proxy.table.before.once(faults.answer(503))
        with pytest.raises(HttpResponseError) as error:
            await client.create_entity({"PartitionKey": "p", "RowKey": "r"})

        assert error.value.status_code == 503
        assert await keys(client) == []


async def test_a_gap_between_faults_before_the_work_lets_a_request_pass(
    proxy: StorageProxy,
) -> None:
    async with table(proxy) as client:
        await client.create_table()
        proxy.table.before.once(faults.healthy(), faults.answer(503))
        await client.create_entity({"PartitionKey": "p", "RowKey": "r"})
        with pytest.raises(HttpResponseError):
            await keys(client)


async def test_a_fault_after_the_work_loses_the_answer_and_not_the_row(
    proxy: StorageProxy,
) -> None:
    async with table(proxy) as client:
        await client.create_table()
        proxy.table.after.once(faults.reset())
        with pytest.raises(AzureError):
            await client.create_entity({"PartitionKey": "p", "RowKey": "r"})

        assert await keys(client) == ["r"]


async def test_storage_that_goes_away_comes_back_with_what_it_held(proxy: StorageProxy) -> None:
    async with table(proxy) as client:
        await client.create_table()
        await client.create_entity({"PartitionKey": "p", "RowKey": "r"})
        await proxy.table.stop()
        with pytest.raises(AzureError):
            await keys(client)

        await proxy.table.start()

        assert await keys(client) == ["r"]
