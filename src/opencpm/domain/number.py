"""What is known of a telephone number beyond the numbering plan: who serves it now, since people take theirs along."""

from __future__ import annotations

import re
from typing import NamedTuple

_NETWORK = re.compile(r"([0-9]{3})[-. ]?([0-9]{2,3})\Z", re.ASCII)


class NumberFacts(NamedTuple):
    """``number_type``: "mobile" or "fixed"; ``carrier``: who serves it (:func:`carrier_name`); ``source``: who says so.

    Empty where nothing is known.
    """

    number_type: str = ""
    carrier: str = ""
    source: str = ""


NO_FACTS = NumberFacts()


def carrier_name(text: str) -> str:
    """One form for one carrier: a mobile network's country and network code as six digits ("23433" is "234033"), any
    other name in lower case.
    """
    bare = text.strip().lower()
    network = _NETWORK.match(bare)
    return f"{network[1]}{network[2]:0>3}" if network else bare
