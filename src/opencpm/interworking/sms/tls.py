"""TLS towards an SMSC, whichever side connects."""

from __future__ import annotations

import ssl

from .settings import LinkSettings


def context_of(link: LinkSettings) -> ssl.SSLContext | None:
    """The context of a link; None without TLS. Raises ValueError for a file that cannot be used."""
    if not link.tls:
        return None
    try:
        return _listening(link) if link.outbind else _connecting(link)
    except OSError as error:  # ssl.SSLError is one
        files = ", ".join(name for name in (link.tls_ca, link.tls_certificate, link.tls_key) if name)
        raise ValueError(f"TLS to {link.host}: {error.strerror or error} ({files})") from None


def _connecting(link: LinkSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=link.tls_ca or None)
    if link.tls_certificate:
        context.load_cert_chain(link.tls_certificate, link.tls_key)
    return context


def _listening(link: LinkSettings) -> ssl.SSLContext:
    """With ``tls_ca`` the SMSC has to show a certificate that it vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(link.tls_certificate, link.tls_key)
    if link.tls_ca:
        context.load_verify_locations(link.tls_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
