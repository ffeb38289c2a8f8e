"""A storage emulator for the tests that ask for one: one for each worker of pytest-xdist."""

from collections.abc import Iterator

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from sandbox.azurite import Azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """Run Azurite for the whole session. Who stops it in a test must start it again."""
    emulator = Azurite()
    try:
        emulator.start()
    except FileNotFoundError as error:
        pytest.skip(f"needs Azurite: {error}")
    yield emulator
    emulator.stop()


@pytest.fixture
def storage(azurite: Azurite) -> str:
    """Give the connection string of a storage account without tables and queues."""
    connection_string = azurite.connection_string
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in tables.list_tables():
            tables.delete_table(table.name)
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for queue in queues.list_queues():
            queues.delete_queue(queue.name or "")
    return connection_string
