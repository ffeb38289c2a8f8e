"""Where Microsoft Graph and its sign-in are in each national cloud, and what is asked of them.

Source: https://learn.microsoft.com/graph/deployments
"""

from urllib.parse import urlsplit

from apple_tokens.model import Cloud

PERMISSION = "DeviceManagementServiceConfig.Read.All"
"""The one permission that covers all sources, as application and as delegated permission."""

_GRAPH = {
    Cloud.GLOBAL: "https://graph.microsoft.com",
    Cloud.USGOV: "https://graph.microsoft.us",
    Cloud.USGOV_DOD: "https://dod-graph.microsoft.us",
    Cloud.CHINA: "https://microsoftgraph.chinacloudapi.cn",
}
_SIGN_IN = {
    Cloud.GLOBAL: "https://login.microsoftonline.com",
    Cloud.USGOV: "https://login.microsoftonline.us",
    Cloud.USGOV_DOD: "https://login.microsoftonline.us",
    Cloud.CHINA: "https://login.chinacloudapi.cn",
}

# The names for which the SDK's token provider accepts http, and no others: to any other host an
# access token would travel in the clear.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


def graph_endpoint(cloud: Cloud, override: str = "") -> str:
    """Return the origin of Microsoft Graph, without a slash at its end.

    `override` is where a simulated Graph listens on this machine. Raise ValueError for any other
    address: the access token of the tenant would be sent there.
    """
    if not override:
        return _GRAPH[cloud]
    try:
        address = urlsplit(override)
        port = address.port
    except ValueError:
        address, port = urlsplit(""), None
    origin_only = not (address.path.rstrip("/") or address.query or address.fragment)
    on_this_machine = address.hostname in LOOPBACK_HOSTS and "@" not in address.netloc
    if not (address.scheme in {"http", "https"} and port and on_this_machine and origin_only):
        raise ValueError(
            "another address for Microsoft Graph can only be a port of this machine, "
            "such as http://127.0.0.1:8080"
        )
    return f"{address.scheme}://{address.netloc}".lower()


def sign_in_authority(cloud: Cloud) -> str:
    """Return the origin at which people sign in."""
    return _SIGN_IN[cloud]


def application_scope(cloud: Cloud) -> str:
    """Return what an app asks for: all permissions that an administrator granted to it."""
    return f"{_GRAPH[cloud]}/.default"


def delegated_scope(cloud: Cloud) -> str:
    """Return what a person is asked to consent to: this permission and no other."""
    return f"{_GRAPH[cloud]}/{PERMISSION}"
