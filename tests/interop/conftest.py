"""Which programs of others are there. Each says so for the list at the end of a run (tests/conftest.py)."""

from __future__ import annotations

from functools import cache

import pytest

from tests.interop.programs import version_of

_BARESIP = ("baresip", ("-h",), r"baresip v(\S+)")
_SIPP = ("sipp", ("-v",), r"SIPp v([0-9.]+)")
_LINPHONE = ("linphonec", ("-v",), r"version: (\S+)")
_there = cache(version_of)


def _need(request, name, question, package):
    version = _there(*question)
    request.node.user_properties.append(("peer", f"{name} {version}" if version else name))
    if version is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")


@pytest.fixture
def sipp_is_there(request):
    _need(request, "SIPp", _SIPP, "sip-tester")


@pytest.fixture
def baresip_is_there(request):
    _need(request, "baresip", _BARESIP, "baresip")


@pytest.fixture
def linphone_is_there(request):
    _need(request, "linphone", _LINPHONE, "linphone-cli")
