"""Interworking Selection Function (ISF): which network carries a message or session, and why.

Pure: ``select(request)`` decides from values alone and gives its reasons with the answer.
"""

from opencpm.selection.choose import select
from opencpm.selection.request import NetworkView, Request

__all__ = ["NetworkView", "Request", "select"]
