"""Write Graph's error answers as they were seen in the wild.

Two layers answer. The gateway writes a short message. Intune's own services put a JSON document
with an internal address into the message: whoever logs it, logs the address of the scale unit.
Seen in https://github.com/ThomasKur/IntuneDocumentation/issues/39 (404),
https://github.com/microsoft/Intune-ACSC-Windows-Hardening-Guidelines/issues/14 (403) and
https://github.com/vanvfields/Microsoft-365/issues/18 (400, a tenant without Intune).
"""

import json
from collections.abc import Mapping

from aiohttp import web

#: Carried by every answer; support asks for it.
REQUEST_ID = "request-id"


def gateway_error(
    status: int,
    code: str,
    message: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Answer with an error of Graph's own gateway."""
    error = {
        "code": code,
        "message": message,
        "innerError": {
            "date": "2026-01-05T08:00:00",
            "request-id": request_id,
            "client-request-id": request_id,
        },
    }
    return web.json_response(
        {"error": error}, status=status, headers={REQUEST_ID: request_id, **(headers or {})}
    )


def intune_error(
    status: int,
    code: str,
    message: str,
    path: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """Answer with an error of the Intune service behind the gateway."""
    resource = path.split("/", 2)[-1]
    service = f"https://fef.msua06.manage.microsoft.com/StatelessFEService/{resource}"
    document = {
        "_version": 3,
        "Message": (
            f"{message} - Operation ID (for customer support): "
            f"00000000-0000-0000-0000-000000000000 - Activity ID: {request_id} - "
            f"Url: {service}?api-version=5023-10-14"
        ),
        "CustomApiErrorPhrase": "",
        "RetryAfter": None,
        "ErrorSourceService": "",
        "HttpHeaders": "{}",
    }
    text = json.dumps(document, indent=2).replace("\n", "\r\n")
    return gateway_error(status, code, text, request_id, headers)


def push_certificate_missing(path: str, request_id: str) -> web.Response:
    """Answer as Intune does in a tenant that has no push certificate."""
    return intune_error(404, "ResourceNotFound", "An error has occurred", path, request_id)
