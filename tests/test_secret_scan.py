"""The scan for secrets, seen to find what this project must never hold, and nothing else."""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox.azurite import ACCOUNT_KEY
from sandbox.npm import npm_file
from sandbox.planted import planted_secret
from tests.seeded import ROOT, Copy, copy_project

SCAN = (sys.executable, "-m", "sandbox.secret_scan")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    try:
        npm_file("@secretlint/core/package.json")
    except FileNotFoundError as error:
        pytest.skip(f"needs secretlint: {error}")
    return copy_project(tmp_path, "sandbox/*.py", "sandbox/secretlint.mjs", "docs", "README.md")


# Each is made where it is used: written out here, the scan would find it in this very file.
def of_random_bytes(count: int) -> str:
    return base64.b64encode(Random(count).randbytes(count)).decode()  # noqa: S311 - opens nothing


def url_safe(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def workflow_url() -> str:
    signature = of_random_bytes(32).rstrip("=").replace("+", "-").replace("/", "_")
    path = "powerautomate/automations/direct/workflows/0/triggers/manual/paths/invoke"
    return f"https://default.environment.api.powerplatform.com:443/{path}?sv=1.0&sig={signature}"


def signed_storage_url() -> str:
    signature = of_random_bytes(32).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return f"https://stwatch42.table.core.windows.net/tokenstatus?sv=2024-11-04&sig={signature}"


def connection_string() -> str:
    return f"DefaultEndpointsProtocol=https;AccountName=st42;AccountKey={of_random_bytes(64)}"


def private_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def access_token() -> str:
    head, content = url_safe({"typ": "JWT", "alg": "RS256"}), url_safe({"aud": "graph", "tid": "0"})
    return f"{head}.{content}.{of_random_bytes(64).replace('+', '-').replace('/', '_')[:80]}"


def github_token() -> str:
    return "ghp_" + "".join(Random(1).choices("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789", k=36))  # noqa: S311 - opens nothing


SECRETS = {
    "the URL of a Teams workflow": (workflow_url, 'TEAMS_WEBHOOK_URL = "{}"\n'),
    "a signed storage URL": (signed_storage_url, "Look at <{}>.\n"),
    "a connection string": (connection_string, '{{"AzureWebJobsStorage": "{}"}}\n'),
    "a storage key alone": (lambda: of_random_bytes(64), "key: {}\n"),
    "a private key": (private_key, "{}"),
    "an access token": (access_token, "Authorization: Bearer {}\n"),
    "a token of GitHub": (github_token, "GITHUB_TOKEN={}\n"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_any_file_is_found_and_named_by_file_but_not_repeated(
    copy: Copy, name: str
) -> None:
    make, line = SECRETS[name]
    secret = make()
    # In a file that git would add, of a kind that nobody thinks of, silenced by a comment.
    lines = f"# secretlint-disable\n\n{line.format(secret)}"
    (copy.root / "docs" / "left behind.txt").write_text(lines, encoding="utf-8")

    done = copy.run(*SCAN)

    assert done.returncode == 1, done.stdout
    assert "left behind.txt" in done.stdout
    assert secret.strip() not in done.stdout


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param(lambda: ACCOUNT_KEY, id="the storage emulator's key"),
        pytest.param(lambda: f"sha512-{of_random_bytes(64)}", id="a hash in npm's lock"),
        pytest.param(lambda: f"?sig={planted_secret('x')[:30]}", id="a short signature in a test"),
        pytest.param(lambda: "?sig=…", id="a signature left out"),
    ],
)
def test_what_only_looks_like_a_secret_is_let_pass(copy: Copy, harmless: Callable[[], str]) -> None:
    (copy.root / "docs" / "harmless.txt").write_text(f"{harmless()}\n", encoding="utf-8")

    done = copy.run(*SCAN)

    assert done.returncode == 0, done.stdout


def test_the_scan_is_one_of_the_checks() -> None:
    assert '"sandbox.secret_scan"' in (ROOT / "sandbox" / "commands.py").read_text("utf-8")
