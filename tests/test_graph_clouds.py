"""Each cloud has its own Graph and sign-in; only a port of this machine can stand in for Graph."""

import pytest

from apple_tokens.model import Cloud
from check_tokens.clouds import (
    application_scope,
    delegated_scope,
    graph_endpoint,
    sign_in_authority,
)

CLOUDS = [
    (Cloud.GLOBAL, "https://graph.microsoft.com", "https://login.microsoftonline.com"),
    (Cloud.USGOV, "https://graph.microsoft.us", "https://login.microsoftonline.us"),
    (Cloud.USGOV_DOD, "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    (Cloud.CHINA, "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
]


@pytest.mark.parametrize("cloud,graph,sign_in", CLOUDS)
def test_a_cloud_is_asked_and_signed_in_to_at_its_own_addresses(
    cloud: Cloud, graph: str, sign_in: str
) -> None:
    assert graph_endpoint(cloud) == graph
    assert sign_in_authority(cloud) == sign_in
    assert application_scope(cloud) == f"{graph}/.default"
    assert delegated_scope(cloud) == f"{graph}/DeviceManagementServiceConfig.Read.All"


def test_no_cloud_is_forgotten() -> None:
    assert {row[0] for row in CLOUDS} == set(Cloud)


@pytest.mark.parametrize(
    "override,endpoint",
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("HTTP://LocalHost:8080", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://127.0.0.1:8443", "https://127.0.0.1:8443"),
    ],
)
def test_a_simulated_graph_is_a_port_of_this_machine(override: str, endpoint: str) -> None:
    assert graph_endpoint(Cloud.GLOBAL, override) == endpoint


@pytest.mark.parametrize(
    "override",
    [
        "http://graph.example:8080",
        "https://graph.microsoft.com:443",
        "http://127.0.0.1.example:80",
        "http://127.0.0.1@graph.example:80",
        "http://graph.example:80@127.0.0.1:80",
        "http://127.0.0.1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:80/beta",
        "http://127.0.0.1:80?x",
        "http://127.0.0.1:80#x",
        "http://127.0.0.2:80",
        "http://0.0.0.0:80",
        "http://[::1",
        "ftp://127.0.0.1:80",
        "127.0.0.1:80",
        "elsewhere",
    ],
)
def test_any_other_address_is_refused_since_the_access_token_would_go_there(
    override: str,
) -> None:
    with pytest.raises(ValueError, match="only be a port of this machine"):
        graph_endpoint(Cloud.GLOBAL, override)
