"""The one error of this package."""


class MsrpError(ValueError):
    """The peer's bytes are not MSRP, or go over a limit: the connection cannot go on."""
