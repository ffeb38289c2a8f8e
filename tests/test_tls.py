"""Certificates are loaded once, and anew for other places."""

import certifi
import pytest

from apple_tokens.tls import tls_context


def test_all_clients_share_what_was_loaded() -> None:
    assert tls_context(trust_env=True) is tls_context(trust_env=True)


def test_another_place_is_loaded_and_only_where_the_environment_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    before, alone = tls_context(trust_env=True), tls_context(trust_env=False)

    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())

    assert tls_context(trust_env=True) is not before
    assert tls_context(trust_env=False) is alone


def test_a_place_that_is_not_there_is_an_error_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/does/not/exist.pem")

    for _ in range(2):
        with pytest.raises(OSError, match="No such file"):
            tls_context(trust_env=True)
