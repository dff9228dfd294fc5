"""Which programs of others are there. Each says so for the list at the end of a run (tests/conftest.py)."""

from __future__ import annotations

import os
from functools import cache
from importlib import metadata

import pytest

from tests.interop.node import NotThere, installed, version
from tests.interop.programs import version_of

_BARESIP = ("baresip", ("-h",), r"baresip v(\S+)")
_SIPP = ("sipp", ("-v",), r"SIPp v([0-9.]+)")
_LINPHONE = ("linphonec", ("-v",), r"version: (\S+)")
_KANNEL = ("bearerbox", ("--version",), r"version `([0-9.]+)'")
_ESPEAK = ("espeak-ng", ("--version",), r"eSpeak NG text-to-speech: ([0-9.]+)")
_MINIMODEM = ("minimodem", ("--version",), r"minimodem ([0-9.]+)")
_PROSODY = ("prosodyctl", ("about",), r"Prosody ([0-9.]+)")
_SWAKS = ("swaks", ("--version",), r"swaks version (\d+)")
_EXIM = ("exim4", ("-bV",), r"Exim version (\S+)")
_CURL = ("curl", ("--version",), r"curl ([0-9.]+)")
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


@pytest.fixture
def kannel_is_there(request):
    _need(request, "Kannel", _KANNEL, "kannel")


@pytest.fixture
def curl_is_there(request):
    _need(request, "curl", _CURL, "curl")


def _need_library(request, name):
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        request.node.user_properties.append(("peer", name))
        pytest.skip(f"{name} is not installed (pip install {name})")
    request.node.user_properties.append(("peer", f"{name} {version}"))


@pytest.fixture
def prosody_is_there(request):
    _need(request, "Prosody", _PROSODY, "prosody")


@pytest.fixture
def swaks_is_there(request):
    _need(request, "swaks", _SWAKS, "swaks")


@pytest.fixture
def exim_is_there(request):
    _need(request, "Exim", _EXIM, "exim4-daemon-light")
    if os.geteuid() != 0:
        pytest.skip("Exim takes a configuration of ours from root only")


@pytest.fixture
def smpplib_is_there(request):
    _need_library(request, "smpplib")


@pytest.fixture
def smpp34_is_there(request):
    _need_library(request, "smpp34")


@pytest.fixture
def oracles_are_there(request):
    for name in ("smpp34", "gsm0338", "smsutil"):
        _need_library(request, name)


@cache
def _installed(name, folder):
    """The folder, or why there is none."""
    try:
        return installed(name, folder)
    except NotThere as reason:
        return reason


def _node_program(request, folder, package, shown):
    cache = getattr(request.config, "cache", None)
    place = cache.mkdir(f"interop-{folder}") if cache else request.getfixturevalue("tmp_path_factory").mktemp(folder)
    found = _installed(folder, place)
    missing = isinstance(found, NotThere)
    request.node.user_properties.append(("peer", shown if missing else f"{shown} {version(found, package)}"))
    if missing:
        pytest.skip(str(found))
    return found


@pytest.fixture
def jssip_folder(request):
    """Where JsSIP is installed."""
    return _node_program(request, "jssip", "jssip", "JsSIP")


@pytest.fixture
def smsc_folder(request):
    """Where the SMS centre of node-smpp is installed."""
    return _node_program(request, "smsc", "smpp", "node-smpp")


@pytest.fixture
def minimodem_is_there(request):
    _need(request, "minimodem", _MINIMODEM, "minimodem")


@pytest.fixture
def espeak_is_there(request):
    _need(request, "espeak-ng", _ESPEAK, "espeak-ng")
