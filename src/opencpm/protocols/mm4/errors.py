"""The one error of this codec."""


class Mm4Error(ValueError):
    """A mail that is no MM4 message, or goes over a limit."""
