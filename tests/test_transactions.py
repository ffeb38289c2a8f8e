"""What Table Storage answers to a transaction is read part by part, and nothing passes for done."""

import pytest
from aiohttp import web
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables.aio import TableServiceClient

from apple_tokens import transactions
from apple_tokens.transactions import Operation
from sandbox import faults
from sandbox.azurite import ACCOUNT_NAME, connect_to
from sandbox.faults import FaultPlan
from sandbox.server import LoopbackServer

ONE = Operation("PATCH", "ade_token.a%2Fb", {"Name": "Café"}, 'W/"1"')
DONE = b"HTTP/1.1 204 No Content\r\nETag: x\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 %s\r\n\r\n"
    b'{"odata.error":{"code":"%s","message":{"lang":"en-US","value":"0:No."}}}\r\n'
)


class Storage(LoopbackServer):
    """Answers every request the same."""

    def __init__(self, body: bytes, status: int = 202, code: str = "") -> None:
        super().__init__()
        self._answer = (body, status, {"x-ms-error-code": code} if code else {})
        self.bodies = list[bytes]()
        self.faults = FaultPlan()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self.bodies.append(await request.read())
        body, status, headers = self._answer
        answer = web.Response(
            body=body, status=status, content_type="multipart/mixed", headers=headers
        )
        fault = self.faults.next()
        return answer if fault is None else await fault.play(request, answer)


async def transact(storage: Storage, *operations: Operation) -> None:
    async with storage:
        connection = connect_to({"table": f"{storage.url}/{ACCOUNT_NAME}"})
        async with TableServiceClient.from_connection_string(connection) as service:
            await transactions.transact(service, "tokenstatus", "t", operations)


async def test_a_row_is_named_by_its_encoded_key_and_the_version_that_was_read() -> None:
    storage = Storage(DONE)

    await transact(storage, ONE)

    (body,) = storage.bodies
    assert b"tokenstatus(PartitionKey='t',RowKey='ade_token.a%252Fb') HTTP/1.1" in body
    assert b'If-Match: W/"1"\r\n' in body
    sent = '{"PartitionKey":"t","RowKey":"ade_token.a%2Fb","Name":"Café"}'.encode()
    assert b"Content-Length: %d\r\n\r\n%s\r\n--changeset_" % (len(sent), sent) in body


@pytest.mark.parametrize(
    "status,code,error",
    [
        (b"404 Not Found", b"TableNotFound", ResourceNotFoundError),
        (b"412 Precondition Failed", b"UpdateConditionNotSatisfied", ResourceModifiedError),
        (b"400 Bad Request", b"PropertyValueTooLarge", HttpResponseError),
        (b"403 Forbidden", b"AuthorizationPermissionMismatch", HttpResponseError),
    ],
)
async def test_a_part_that_failed_is_the_error_of_the_whole(
    status: bytes, code: bytes, error: type[HttpResponseError]
) -> None:
    with pytest.raises(error, match=code.decode()) as raised:
        await transact(Storage(REFUSED % (status, code)), ONE, ONE)

    assert type(raised.value) is error
    assert raised.value.status_code == int(status[:3])


async def test_a_key_that_is_not_taken_is_a_failed_sign_in() -> None:
    with pytest.raises(ClientAuthenticationError):
        await transact(Storage(b"<html>", 403, "AuthenticationFailed"), ONE)


@pytest.mark.parametrize("broken,sent", [(1, 2), (2, 3)])
async def test_an_answer_that_breaks_off_is_asked_for_again(broken: int, sent: int) -> None:
    storage = Storage(DONE)
    storage.faults.once(*(faults.reset_mid_body() for _ in range(broken)))

    await transact(storage, ONE)

    assert len(storage.bodies) == sent


async def test_an_answer_that_breaks_off_each_time_is_an_error() -> None:
    storage = Storage(DONE)
    storage.faults.always(faults.reset_mid_body())

    with pytest.raises(AzureError):
        await transact(storage, ONE)

    assert len(storage.bodies) == 3


@pytest.mark.parametrize("body", [b"", DONE])
async def test_an_answer_to_fewer_operations_than_were_sent_is_an_error(body: bytes) -> None:
    with pytest.raises(HttpResponseError, match="of 2 operations"):
        await transact(Storage(body), ONE, ONE)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"value": [1]}'])
async def test_an_answer_without_rows_is_an_error_and_not_an_empty_table(body: bytes) -> None:
    async with Storage(body, 200) as storage:
        connection = connect_to({"table": f"{storage.url}/{ACCOUNT_NAME}"})
        async with TableServiceClient.from_connection_string(connection) as service:
            with pytest.raises(HttpResponseError, match="holds no rows"):
                await transactions.query(service, "tokenstatus", "RowKey eq 'x'")


async def test_half_a_character_stops_neither_reading_nor_writing() -> None:
    answer = rb'{"value":[{"RowKey":"k","Name":"half \ud800"}]}'
    storage = Storage(answer, status=200)
    async with storage:
        connection = connect_to({"table": f"{storage.url}/{ACCOUNT_NAME}"})
        async with TableServiceClient.from_connection_string(connection) as service:
            rows = await transactions.query(service, "tokenstatus", "true")
    written = Storage(DONE)
    await transact(written, Operation("PATCH", "k", {"Name": "half \ud800"}))

    assert rows == [{"RowKey": "k", "Name": "half ?"}]
    assert rb'"Name": "half \ud800"}' in written.bodies[0]
