"""A stand-in for Azure CLI: the few commands that the scripts use, over a tenant kept in a file.

It evaluates `--query` with JMESPath, as Azure CLI does, so that a wrong query is seen. Run as
`python fake_az.py STATE.json ARGUMENTS…`; the state is read, changed and written back.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import jmespath

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
DENIED = (
    'Forbidden({"error":{"code":"Authorization_RequestDenied",'
    '"message":"Insufficient privileges to complete the operation."}})'
)
NOT_FOUND = 'Not Found({"error":{"code":"Request_ResourceNotFound","message":"does not exist"}})'

State = dict[str, Any]


class _RefusedError(Exception):
    """What Azure CLI complains about."""


def _rest(state: State, options: dict[str, str]) -> object:
    method, uri = options["--method"], options["--uri"]
    prefix = f"{state['graph']}/v1.0/"
    if not uri.startswith(prefix):
        raise _RefusedError(f"another Graph than the cloud's: {uri}")
    path = uri.removeprefix(prefix)
    state["requests"].append(f"{method} {path}")
    if path.startswith("servicePrincipals?$filter="):
        wanted = f"appId eq '{GRAPH_APP_ID}'&$select=id,appRoles"
        is_graph = path == f"servicePrincipals?$filter={wanted}"
        return {"value": [state["graph_app"]] if is_graph and state["graph_app"] else []}
    found = re.fullmatch(r"servicePrincipals/([0-9a-f-]{36})/appRoleAssignments", path)
    if not found or state["unknown_for"] > 0 or found[1] != state["identity"]:
        state["unknown_for"] -= 1
        raise _RefusedError(NOT_FOUND)
    if method == "get":
        return {"value": state["assignments"]}
    if not state["may_grant"]:
        raise _RefusedError(DENIED)
    body = options["--body"]
    if body.startswith("@"):
        body = Path(body[1:]).read_text(encoding="utf-8")
    assignment = {"id": f"assignment-{len(state['assignments'])}", **json.loads(body)}
    state["assignments"].append(assignment)
    return assignment


def _answer(state: State, words: list[str]) -> object:
    options = dict(zip(words[1::2], words[2::2], strict=False))
    if words[:2] == ["account", "show"]:
        if not state["signed_in"]:
            raise _RefusedError("Please run 'az login' to setup account.")
        return {}
    if words[:2] == ["cloud", "show"]:
        options = dict(zip(words[2::2], words[3::2], strict=True))
        answer: object = {"endpoints": {"microsoftGraphResourceId": f"{state['graph']}/"}}
    elif words[0] == "rest":
        answer = _rest(state, options)
    else:
        raise _RefusedError(f"not played here: {words}")
    return jmespath.search(options["--query"], answer) if "--query" in options else answer


def main(file: Path, words: list[str]) -> int:
    """Play one command of Azure CLI, with its words on stdout and its complaints on stderr."""
    state: State = json.loads(file.read_text(encoding="utf-8"))
    try:
        answer = _answer(state, words)
    except _RefusedError as refused:
        sys.stderr.write(f"ERROR: {refused}\n")
        return 1
    finally:
        file.write_text(json.dumps(state), encoding="utf-8")
    output = words[words.index("--output") + 1] if "--output" in words else "json"
    if output == "tsv" and answer is not None:
        sys.stdout.write(f"{answer}\n")
    if output == "json":
        sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
