"""The file's flat section ``[sip]`` in the shape that the SIP access reads."""

from __future__ import annotations

from typing import Any

from opencpm.settings import Settings


def sip_values(settings: Settings) -> dict[str, Any]:
    """What ``opencpm.access.sip.build`` is given."""
    sip = settings.sip
    ports = {"udp": sip.udp_port, "tcp": sip.tcp_port, "tls": sip.tls_port, "ws": sip.ws_port, "wss": sip.wss_port}
    return {
        "domain": settings.domain,
        "aliases": tuple(name for name in sip.domains if name != settings.domain),
        "realm": settings.realm,
        "host": sip.advertised_host,
        "listen": tuple(
            {"transport": kind, "host": sip.host, "port": port} for kind, port in ports.items() if port is not None
        ),
        "certificate": sip.tls_certificate,
        "private_key": sip.tls_key,
        "digest": sip.digest_algorithms,
        "digest_without_qop": sip.digest_without_qop,
        "trust_flows": frozenset(sip.trust_flows),
        "min_expires": sip.min_expires,
        "max_expires": sip.max_expires,
        "default_expires": min(3600, sip.max_expires),
        "max_message": sip.max_message_bytes,
        "max_content": settings.policy.limits.message_bytes,
        "file_lifetime": settings.files.share,
        "max_recipients": settings.policy.limits.recipients,
        "max_devices": sip.max_devices,
        "max_connections": sip.max_connections,
        "window": sip.window,
        "sessions": {
            "msrp_host": sip.msrp_host or sip.host,
            "msrp_port": sip.msrp_port,
            "msrps_port": sip.msrps_port,
            "msrp_address": sip.msrp_advertised_host,
            "max_message": max(2048, settings.policy.limits.message_bytes + 65536),
            "max_sessions": sip.max_sessions,
            "ring": sip.session_ring_timeout,
            "idle": sip.msrp_idle,
        },
    }
