"""The one error of this codec."""


class SmilError(ValueError):
    """No presentation, or one over a limit: show the parts in their own order."""
