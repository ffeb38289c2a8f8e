"""Both forms of AzureWebJobsStorage open the tables, and neither leaves anything open or shown."""

import asyncio
import datetime as dt
import ipaddress
import logging
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from azure.identity.aio import ManagedIdentityCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from apple_tokens.settings import SettingsError
from apple_tokens.storage import table_endpoint, table_service
from apple_tokens.tables import TokenTables
from check_tokens.signin import read_claims
from sandbox.identity import CLIENT_ID, IdentityEndpoint, IdentityRequest
from sandbox.tenant import TENANT_ID

ROOT = Path(__file__).resolve().parent.parent
CONNECTION = "AzureWebJobsStorage"
TABLES = f"{CONNECTION}__tableServiceUri"
FAKE_KEY = "RkFLRS1hY2NvdW50LWtleS1mb3ItdGVzdHMtMDAwMQ=="

READ_RUN_ROWS = """
import asyncio, os
from apple_tokens.storage import table_service
from apple_tokens.tables import TokenTables

async def main():
    async with table_service(os.environ) as service:
        print(await TokenTables(service, "t").run_rows())

asyncio.run(main())
"""


class TestAConnectionString:
    @pytest.mark.e2e
    async def test_opens_the_tables(self, storage: str) -> None:
        async with table_service({CONNECTION: f" {storage}\n"}) as service:
            assert await TokenTables(service, "t").alert_rows() == []

    @pytest.mark.e2e
    async def test_makes_no_noise_in_the_log(
        self, storage: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            async with table_service({CONNECTION: storage}) as service:
                await TokenTables(service, "t").run_rows()

        assert caplog.records == []

    @pytest.mark.parametrize(
        "broken",
        [
            f"AccountKey={FAKE_KEY}",
            f"DefaultEndpointsProtocol=https;AccountKey={FAKE_KEY};EndpointSuffix=core.windows.net",
            f"AccountName=tokenwatch;{FAKE_KEY}",
            FAKE_KEY,
        ],
    )
    async def test_that_is_not_whole_is_refused_without_being_shown(self, broken: str) -> None:
        with pytest.raises(SettingsError, match=r"^AzureWebJobsStorage is no .* copy it") as no:
            async with table_service({CONNECTION: broken}):
                pass

        shown = f"{no.value!s} {no.value.__cause__!r} {no.value.__context__!r}"
        assert "RkFLRS1" not in shown

    async def test_counts_more_than_the_identity_form(self) -> None:
        connection = f"AccountName=byname;AccountKey={FAKE_KEY}"
        async with table_service({CONNECTION: connection, TABLES: "https://other"}) as service:
            assert service.url == "https://byname.table.core.windows.net"


class TestTheIdentityForm:
    def test_names_the_tables_or_the_account(self) -> None:
        by_account = {f"{CONNECTION}__accountName": "tokenwatch"}
        elsewhere = "https://tokenwatch.table.core.usgovcloudapi.net"

        assert table_endpoint(by_account) == "https://tokenwatch.table.core.windows.net"
        assert table_endpoint(by_account | {TABLES: elsewhere}) == elsewhere

    @pytest.mark.parametrize("settings", [{}, {CONNECTION: "", TABLES: " "}])
    async def test_that_names_neither_is_refused(self, settings: dict[str, str]) -> None:
        with pytest.raises(SettingsError, match=f"AzureWebJobsStorage is not set: .*{TABLES}"):
            async with table_service(settings):
                pass

    @pytest.mark.parametrize(
        "address",
        [
            "http://tokenwatch.table.core.windows.net",
            "http://127.0.0.1:10002/devstoreaccount1",
            "tokenwatch.table.core.windows.net",
            "https://",
            "https:///tables",
            "https://[",
        ],
    )
    async def test_takes_no_address_to_which_a_token_must_not_go(self, address: str) -> None:
        with pytest.raises(SettingsError, match=f"{TABLES} must be an https address"):
            async with table_service({TABLES: address}):
                pass

    @pytest.mark.parametrize("setting", [f"{CONNECTION}__clientId", "AZURE_CLIENT_ID"])
    async def test_signs_in_with_the_apps_own_identity(self, setting: str, tmp_path: Path) -> None:
        # In a process of its own: the HTTP library reads once, when it is loaded, whom to trust.
        async with (
            IdentityEndpoint(TENANT_ID) as identity,
            https_tables(tmp_path / "trusted.pem") as (address, requests),
        ):
            # Whatever is left open at its end is a warning, and a warning is an error.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-W", "error::ResourceWarning", "-c", READ_RUN_ROWS),
                cwd=ROOT,
                env=os.environ
                | identity.environment()
                | {
                    "SSL_CERT_FILE": str(tmp_path / "trusted.pem"),
                    TABLES: address,
                    setting: CLIENT_ID,
                },
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            printed, errors = await process.communicate()

            assert (process.returncode, errors.decode()) == (0, "")
            assert printed.startswith(b"RunRows(")
            assert identity.requests == [
                IdentityRequest(resource="https://storage.azure.com", client_id=CLIENT_ID)
            ]
            (request,) = requests
            assert request.path == "/account/tokenstatus()"
            scheme, _, token = request.headers["Authorization"].partition(" ")
            assert scheme == "Bearer"
            assert read_claims(token).client_id == CLIENT_ID


class Credential(ManagedIdentityCredential):
    """Stands for an operator's own sign-in, which the caller opened and closes."""

    is_closed = False

    async def close(self) -> None:
        self.is_closed = True
        await super().close()


async def test_a_credential_of_the_caller_takes_the_identitys_place_and_stays_open() -> None:
    credential = Credential()
    settings = {CONNECTION: f"AccountName=a;AccountKey={FAKE_KEY}", TABLES: "https://b.example"}

    async with table_service(settings, credential) as service:
        assert service.url == "https://b.example"
        assert service.credential is credential

    assert not credential.is_closed
    await credential.close()


@asynccontextmanager
async def https_tables(trusted: Path) -> AsyncIterator[tuple[str, list[web.BaseRequest]]]:
    """Serve empty tables over TLS; write the certificate that a client must trust."""
    requests = list[web.BaseRequest]()

    async def respond(request: web.BaseRequest) -> web.Response:
        requests.append(request)
        return web.json_response({"value": []})

    runner = web.ServerRunner(web.Server(respond, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_certified(trusted)).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}/account", requests
    finally:
        await runner.cleanup()


def _certified(trusted: Path) -> ssl.SSLContext:
    """Return a server's TLS with a certificate for this machine's own address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tables of a test")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    own = trusted.with_name("own.pem")
    own.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + trusted.read_bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    return context
