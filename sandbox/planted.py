"""Plant fake secrets where a real tenant keeps real ones, so that tests can look for them."""

from uuid import NAMESPACE_OID, uuid5

#: Every fake secret of the sandbox contains this text. It must never turn up in a log, row or card.
PLANTED_SECRET = "PLANTED-SECRET"


def planted_secret(what: str, seed: str = "") -> str:
    """Make a fake secret: marked as planted, and the same for the same seed."""
    return f"{PLANTED_SECRET}-{what}-{uuid5(NAMESPACE_OID, f'{what}/{seed}').hex}"
