"""The SMIL of multimedia messages (OMA MMS conformance §8): simple slides written, any presentation read in order."""

from .errors import SmilError
from .order import ordered
from .presentation import Item, Page, Presentation
from .read import parse
from .write import pages_of, write

__all__ = ["Item", "Page", "Presentation", "SmilError", "ordered", "pages_of", "parse", "write"]
