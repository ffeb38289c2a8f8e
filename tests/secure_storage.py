"""A storage service over https that takes access tokens, as in Azure; behind it stands Azurite.

The SDK sends an access token nowhere but over https, and Azurite speaks http and takes keys.
"""

import asyncio
import ipaddress
import os
import ssl
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web
from azure.storage.queue import ResourceTypes, generate_account_sas
from cryptography import x509  # comes with azure-identity
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from sandbox.azurite import ACCOUNT_KEY, ACCOUNT_NAME, Azurite
from sandbox.faults import FaultPlan
from sandbox.server import HOST
from tests.seeded import ROOT

_LONG_AGO, _LONG_FROM_NOW = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int
    output: str
    errors: str


class SecureStorage:
    """One service, `table` or `queue`, for whoever shows the right access token.

    A fault of `faults` takes the place of the next answer; those of `write_faults` strike only
    requests that write.
    """

    def __init__(self, azurite: Azurite, service: str, token: str, folder: Path) -> None:
        self._target = azurite.endpoint(service).removesuffix(f"/{ACCOUNT_NAME}")
        self._token = token
        self._certificate, self._key = _make_certificate(folder)
        self._runner: web.ServerRunner | None = None
        self._port = 0
        self.faults, self.write_faults = FaultPlan(), FaultPlan()
        self.requests: list[str] = []

    @property
    def address(self) -> str:
        """What an operator types after `--storage`."""
        return f"https://{HOST}:{self._port}/{ACCOUNT_NAME}"

    async def run(self, *words: str) -> Ended:
        """Run `python -m admin WORDS --storage ADDRESS` in a process of its own."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "admin", *words, "--storage", self.address),
            cwd=ROOT,
            env={**os.environ, "SSL_CERT_FILE": str(self._certificate), "PYTHONUTF8": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        return Ended(process.returncode or 0, output.decode().strip(), errors.decode().strip())

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.requests.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return web.Response(status=401, headers={"x-ms-error-code": "AuthenticationFailed"})
        fault = self.faults.next()
        if fault is None and request.method != "GET":
            fault = self.write_faults.next()
        if fault is not None:
            return await fault.play(request, web.Response())
        return await self._pass_on(request, body)

    async def _pass_on(self, request: web.BaseRequest, body: bytes) -> web.Response:
        joint = "&" if "?" in request.raw_path else "?"
        dropped = {"authorization", "host", "connection", "content-length", "transfer-encoding"}
        headers = [pair for pair in request.headers.items() if pair[0].lower() not in dropped]
        url = URL(f"{self._target}{request.raw_path}{joint}{_signature()}", encoded=True)
        async with (
            aiohttp.ClientSession() as session,
            session.request(request.method, url, headers=headers, data=body) as answer,
        ):
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                headers={
                    name: value
                    for name, value in answer.headers.items()
                    if name.lower().startswith("x-ms-") or name in {"Content-Type", "ETag"}
                },
            )

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(
            web.Server(self._respond, access_log=None), shutdown_timeout=0.1
        )
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificate, self._key)
        await web.TCPSite(self._runner, HOST, 0, ssl_context=context).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


def _signature() -> str:
    return generate_account_sas(
        ACCOUNT_NAME,
        ACCOUNT_KEY,
        ResourceTypes(service=True, container=True, object=True),
        "rwdlacup",
        _LONG_FROM_NOW,
        services="qt",
        protocol="https,http",
    )


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for this machine that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated storage")])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_LONG_AGO)
        .not_valid_after(_LONG_FROM_NOW)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file
