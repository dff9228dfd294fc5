"""The operator's settings: typed, with help texts (the reference page of the docs is made from them).

Read from one TOML file. The environment names the file (``OPENCPM_CONFIG``) and nothing else.
"""

from opencpm.settings.load import CONFIG_VARIABLE, SettingsError, default_path, load, parse
from opencpm.settings.mm7 import Mm7AccessSettings, Mm7Terms
from opencpm.settings.models import FilesSettings, Settings, SipSettings, WebSettings
from opencpm.settings.numbers import NumbersSettings
from opencpm.settings.policy import LimitSettings, PolicySettings, RouteSettings
from opencpm.settings.smpp import SmppListener, SmppSettings, SmppTerms

__all__ = [
    "CONFIG_VARIABLE",
    "FilesSettings",
    "LimitSettings",
    "NumbersSettings",
    "Mm7AccessSettings",
    "Mm7Terms",
    "PolicySettings",
    "RouteSettings",
    "Settings",
    "SettingsError",
    "SipSettings",
    "SmppListener",
    "SmppSettings",
    "SmppTerms",
    "WebSettings",
    "default_path",
    "load",
    "parse",
]
