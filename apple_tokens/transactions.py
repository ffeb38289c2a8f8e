"""Queries and transactions of Table Storage, written and read here, sent by the Azure SDK.

The SDK's client signs in, retries and connects. Its own making of transactions goes through
`email.message`, part by part, and its own reading of rows column by column: for 5,001 tokens these
took four fifths of a check. https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import quote
from uuid import uuid4

import msgspec
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.data.tables.aio import TableServiceClient
from msgspec import Struct, field

Cells = dict[str, Any]
"""A row as it stands in the table, its keys, its time stamp and its version included."""

ETAG = "odata.etag"
"""The name of a row's version among its cells."""

_OK, _ACCEPTED = 200, 202
_READ_TRIES = 3
_PROTOCOL = {"DataServiceVersion": "3.0", "MaxDataServiceVersion": "3.0;NetFx"}

_SAFE_TO_REPEAT = frozenset({"HEAD", "GET", "PUT", "DELETE", "OPTIONS", "TRACE", "POST"})
"""What the SDK sends again after a broken connection. A transaction is a POST, which it would not
repeat by itself; all of ours come to the same when they are done twice."""

_ERRORS: dict[int, type[HttpResponseError]] = {
    401: ClientAuthenticationError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
    412: ResourceModifiedError,
}
_NOT_AUTHENTICATED = frozenset({"AuthenticationFailed", "InvalidAuthenticationInfo"})
"""403 as well; every other 403 is a role that is missing."""
_PART_STATUS = re.compile(rb"^HTTP/1\.\d (\d{3})\b", re.MULTILINE)
_ERROR = re.compile(rb'^\{.*"odata\.error".*\}', re.MULTILINE)


class Operation(Struct, frozen=True):
    """What a transaction does to one row: merge columns into it, or delete it."""

    method: Literal["PATCH", "DELETE"]
    row_key: str
    columns: Cells = {}
    etag: str = ""
    """The version that the row must still have, `*` for any; without one it may be missing."""


class _Answer(Struct):
    value: list[Cells]


class _Text(Struct):
    value: str = ""


class _Refusal(Struct):
    code: str = ""
    message: _Text = field(default_factory=_Text)


class _Refused(Struct):
    error: _Refusal = field(name="odata.error", default_factory=_Refusal)


async def query(service: TableServiceClient, table: str, condition: str) -> list[Cells]:
    """Return the rows that meet a condition, a thousand of them a request."""
    address = f"{_address(service)}/{table}()?$filter={quote(condition, safe='')}"
    headers = {**_PROTOCOL, "Accept": "application/json;odata=minimalmetadata"}
    rows, go_on = list[Cells](), ""
    while True:
        response = await _send(service, HttpRequest("GET", address + go_on, headers=headers))
        if response.status_code != _OK:
            raise _error(response.status_code, response.content, response)
        try:
            rows += _rows(response.content)
        except (msgspec.MsgspecError, ValueError):
            text = "Table Storage's answer holds no rows"
            raise HttpResponseError(text, response=response) from None
        following = [
            f"&Next{key}={quote(value, safe='')}"
            for key in ("PartitionKey", "RowKey")
            if (value := response.headers.get(f"x-ms-continuation-Next{key}"))
        ]
        if not following:
            return rows
        go_on = "".join(following)


def _rows(answer: bytes) -> list[Cells]:
    try:
        return msgspec.json.decode(answer, type=_Answer).value
    except msgspec.DecodeError:
        # UTF-16 has room for halves of characters, and so have the tables; msgspec and logs do not.
        whole = json.dumps(json.loads(answer), ensure_ascii=False).encode(errors="replace")
        return msgspec.json.decode(whole, type=_Answer).value


async def transact(
    service: TableServiceClient, table: str, partition_key: str, operations: Sequence[Operation]
) -> None:
    """Carry out all operations or none of them, in one request; there must be one at least."""
    batch, changes = f"batch_{uuid4()}", f"changeset_{uuid4()}"
    rows = f"{_address(service)}/{table}(PartitionKey='{quote(partition_key)}',RowKey='"
    parts = [
        f"--{batch}\r\nContent-Type: multipart/mixed; boundary={changes}\r\n\r\n".encode(),
        *(_part(changes, rows, partition_key, each) for each in operations),
        f"--{changes}--\r\n\r\n--{batch}--\r\n".encode(),
    ]
    request = HttpRequest(
        "POST",
        f"{_address(service)}/$batch",
        headers={
            **_PROTOCOL,
            "Content-Type": f"multipart/mixed; boundary={batch}",
            "Accept": "application/json",
        },
        content=b"".join(parts),
    )
    response = await _send(service, request)
    if response.status_code != _ACCEPTED:
        raise _error(response.status_code, response.content, response)
    # One part for each operation, or a single one for the operation that made it fail.
    statuses = [int(status) for status in _PART_STATUS.findall(response.content)]
    for status in statuses:
        if not 200 <= status < 300:  # noqa: PLR2004 -- HTTP's own range of success
            raise _error(status, response.content, response)
    if len(statuses) != len(operations):
        raise HttpResponseError(
            f"Table Storage answered {len(statuses)} of {len(operations)} operations",
            response=response,
        )


def _part(changes: str, rows: str, partition_key: str, operation: Operation) -> bytes:
    body = b""
    if operation.method == "PATCH":
        keys = {"PartitionKey": partition_key, "RowKey": operation.row_key}
        body = _row(keys | operation.columns)
    version = f"If-Match: {operation.etag}\r\n" if operation.etag else ""
    head = (
        f"--{changes}\r\n"
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"{operation.method} {rows}{quote(operation.row_key)}') HTTP/1.1\r\n"
        "Content-Type: application/json\r\nAccept: application/json\r\n"
        f"DataServiceVersion: 3.0\r\n{version}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n"


def _row(cells: Cells) -> bytes:
    try:
        return msgspec.json.encode(cells)
    except UnicodeEncodeError:  # half a character, from a command line for example
        return json.dumps(cells).encode()


async def _send(service: TableServiceClient, request: HttpRequest) -> AsyncHttpResponse:
    """Return the whole answer. The pipeline tries again what fails before its body begins."""
    request.headers["x-ms-version"] = service.api_version
    for _ in range(_READ_TRIES - 1):
        response = await _start(service, request)
        with suppress(AzureError):  # an answer that breaks off
            await response.read()
            return response
    response = await _start(service, request)
    await response.read()
    return response


async def _start(service: TableServiceClient, request: HttpRequest) -> AsyncHttpResponse:
    # The SDK has no public way to send a request of one's own through the pipeline of its tables.
    # As a stream, or the pipeline would parse the answer with the slower json, for nobody.
    pipeline = service._client  # noqa: SLF001
    response: AsyncHttpResponse = await pipeline.send_request(
        request, stream=True, retry_on_methods=_SAFE_TO_REPEAT
    )
    return response


def _address(service: TableServiceClient) -> str:
    return service.url.partition("?")[0].rstrip("/")


def _error(status: int, body: bytes, response: AsyncHttpResponse) -> HttpResponseError:
    """Return the exception that the SDK's own calls would raise, its `error_code` included."""
    found = _ERROR.search(body)
    try:
        refusal = msgspec.json.decode(found[0] if found else body, type=_Refused).error
    except msgspec.DecodeError:
        refusal = _Refusal()
    text = refusal.message.value or f"Table Storage answered {status}"
    code = refusal.code or response.headers.get("x-ms-error-code", "")
    kind = _ERRORS.get(status, HttpResponseError)
    if code in _NOT_AUTHENTICATED:
        kind = ClientAuthenticationError
    error = kind(f"{text}\nErrorCode:{code}", response=response)
    # Of a transaction the answer itself is a success: what counts is its part.
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined] # the SDK's calls set it the same way
    return error
