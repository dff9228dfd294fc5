"""OpenCPM: a Converged IP Messaging (CPM) server."""

__version__ = "0.1.0"
