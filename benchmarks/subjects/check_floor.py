"""Make the requests of a check by hand: those of Graph, then those of the tables as recorded."""

import base64
import hashlib
import hmac
import json
import os
import sys
from email.utils import formatdate
from pathlib import Path

if sys.argv[4:]:  # the tables alone, to put a storage into its state
    sys.path[:0] = sys.argv[1:3]
else:
    import runpy

    runpy.run_path(str(Path(__file__).with_name("read_floor.py")))

import httpx

KEY = base64.b64decode(os.environ["TABLES_KEY"])
ACCOUNT, ADDRESS = os.environ["TABLES_ACCOUNT"], os.environ["TABLES"]


def signature(method: str, path: str, content_type: str, date: str) -> str:
    """Sign a request as Table Storage wants it."""
    text = f"{method}\n\n{content_type}\n{date}\n/{ACCOUNT}{path.partition('?')[0]}"
    digest = hmac.new(KEY, text.encode(), hashlib.sha256).digest()
    return f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"


def transaction(operations: list[tuple[str, str, str, object]], boundary: str) -> bytes:
    """Make the body of a transaction from its rows."""
    parts = [f"--{boundary}\r\nContent-Type: multipart/mixed; boundary=changes\r\n\r\n"]
    for method, address, version, row in operations:
        body = json.dumps(row) if row else ""
        condition = f"If-Match: {version}\r\n" if version else ""
        parts.append(
            "--changes\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
            f"\r\n{method} {address} HTTP/1.1\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\nDataServiceVersion: 3.0\r\n{condition}"
            f"Content-Length: {len(body)}\r\n\r\n{body}\r\n"
        )
    return "".join([*parts, f"--changes--\r\n\r\n--{boundary}--\r\n"]).encode()


def main() -> None:
    """Send what was recorded, and take care that the answers are those of then."""
    requests = [json.loads(line) for line in Path(sys.argv[3]).read_text("utf-8").splitlines()]
    transactions = rows = 0
    with httpx.Client(trust_env=False, timeout=60) as client:
        for method, path, headers, told, status in requests:
            body = told
            if path.endswith("$batch"):
                transactions += 1
                body = transaction(told, headers["Content-Type"].partition("boundary=")[2])
            date = formatdate(usegmt=True)
            signed = signature(method, path, headers.get("Content-Type", ""), date)
            answer = client.request(
                method,
                f"{ADDRESS}{path}",
                headers=headers | {"x-ms-date": date, "Authorization": signed},
                content=body,
            )
            if answer.status_code != status:
                sys.exit(f"{method} {path}: {answer.status_code} instead of {status}")
            if method == "GET":
                rows += len(json.loads(answer.content).get("value", ()))
    counts = {"requests": len(requests), "transactions": transactions, "rows": rows}
    print(json.dumps(counts | {"modules": len(sys.modules)}))


main()
