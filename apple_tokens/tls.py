"""The certificates that connections are checked against, loaded once a process."""

import os
import ssl
from functools import cache

import httpx


def tls_context(*, trust_env: bool) -> ssl.SSLContext:
    """Return httpx's context; with `trust_env`, that of SSL_CERT_FILE and SSL_CERT_DIR.

    Raise OSError where these name nothing, or no certificates. Each client would load all
    authorities of the world for itself, for a fifth of the processor time of a small check.
    """
    places = ("SSL_CERT_FILE", "SSL_CERT_DIR") if trust_env else ()
    return _context(trust_env, *map(os.environ.get, places))


@cache
def _context(trust_env: bool, *_places: str | None) -> ssl.SSLContext:  # noqa: FBT001 -- a key
    return httpx.create_ssl_context(trust_env=trust_env)
