"""Files over HTTP in what devices send: the document that stands for a file becomes the file (GSMA RCC.07).

What the sender uploaded here is content like any other from now on, whatever the receiver's network. What lies on
another content server is never fetched by us (somebody else would choose what we connect to): devices get the document
as it is, other networks its address as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Part, text_part
from opencpm.interfaces import Directory, Files
from opencpm.protocols import fthttp

__all__ = ["FileRefs"]


class FileRefs:
    def __init__(self, files: Files, directory: Directory) -> None:
        self._files, self._directory = files, directory

    def resolve(self, message: Message) -> Message:
        """The same message with its files in it.

        :raises SendError: MALFORMED: no such document; UNDELIVERABLE: the file is not here (any more).
        """
        if all(part.media_type != fthttp.CONTENT_TYPE for part in message.parts):
            return message
        ours = all(self._directory.owner_of(recipient) is not None for recipient in message.recipients)
        parts = [self._part(part, message.sender, ours) for part in message.parts]
        return replace(message, parts=tuple(parts))

    def _part(self, part: Part, sender: Address, to_devices: bool) -> Part:
        if part.media_type != fthttp.CONTENT_TYPE:
            return part
        try:
            about = fthttp.parse(part.body).file
        except fthttp.FtHttpError as error:
            raise SendError(Reason.MALFORMED, detail=f"The file transfer document is damaged: {error}.") from None
        if not self._files.serves(about.url):
            return part if to_devices else text_part(in_words(about))
        owner = self._directory.owner_of(sender)
        found = self._files.uploaded(about.url, owner.id) if owner is not None else None
        if found is None:
            detail = "The file named in the message is not on the server, or no longer; upload it again."
            raise SendError(Reason.UNDELIVERABLE, detail=detail)
        return found._replace(name=found.name or about.name, disposition=about.disposition or found.disposition)


def in_words(about: fthttp.FileInfo) -> str:
    """A file on another server as text."""
    return f"{about.name}: {about.url}" if about.name else about.url


def as_text(parts: Sequence[Part]) -> list[Part]:
    """Documents as text, for a device that takes nothing else."""
    found = []
    for part in parts:
        if part.media_type == fthttp.CONTENT_TYPE:
            try:
                part = text_part(in_words(fthttp.parse(part.body).file))
            except fthttp.FtHttpError:
                pass
        found.append(part)
    return found
