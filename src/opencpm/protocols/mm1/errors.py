"""The one error of this codec."""


class Mm1Error(ValueError):
    """Octets that are no MMS PDU, push or content type, or go over a limit; or values that cannot be encoded."""
