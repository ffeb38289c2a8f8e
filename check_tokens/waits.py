"""How patient a check is with Microsoft Graph."""

from msgspec import Struct


class Waits(Struct, frozen=True):
    """How long to wait before a request is sent once more, in seconds."""

    after_trouble_s: tuple[float, ...] = (1.0, 4.0, 16.0)
    """One further try each after 500, 502 and connections that failed."""
    longest_own_wait_s: int = 60
    """The most that the SDK waits after 429, 503 and 504 where Graph does not say how long."""
