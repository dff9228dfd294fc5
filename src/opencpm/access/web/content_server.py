"""The HTTP content server of devices (GSMA RCC.07 file transfer): upload, resume, download.

A device is given one address, ``/ft``; everything else it learns from the answers.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from opencpm.access.web.api.caller import TheHouse
from opencpm.access.web.desk import FileDesk
from opencpm.access.web.digest import HttpDigest
from opencpm.access.web.handing import hand_out
from opencpm.access.web.house import House
from opencpm.access.web.problems import Problem, not_found
from opencpm.access.web.receiving import Receiving
from opencpm.domain.message import Part
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import DeliveryRecord, Upload
from opencpm.messaging.shares import Expired
from opencpm.protocols import fthttp

GONE = "This file was kept for a limited time, and the time is over."


def router(desk: FileDesk) -> APIRouter:
    """All of ``/ft``."""
    server = APIRouter(include_in_schema=False)
    digest = HttpDigest(desk.realm)

    @server.post("/ft")
    async def post(request: Request, within: TheHouse) -> Response:
        """Empty: the question whether (and how) to authenticate. Else the file."""
        owner = digest.subscriber(request, within)
        if request.headers.get("content-length") == "0" or not request.headers.get("content-type"):
            return Response(status_code=204)
        upload = await Receiving(desk.uploads, owner.id, within.ids).form(request)
        return _described(desk, upload)

    @server.get("/ft")
    async def info(request: Request, within: TheHouse) -> Response:
        """``?tid=…&get_upload_info``: how far it came; ``&get_download_info``: what the upload was answered with."""
        owner = digest.subscriber(request, within)
        asked = request.query_params
        upload = desk.uploads.of(owner.id, asked.get("tid", ""))
        if upload is None:
            raise not_found("upload")
        if "get_download_info" in asked:
            if not upload.complete:
                raise Problem(409, "not-acceptable", "The upload is not complete.")
            return _described(desk, upload)
        kept = await desk.uploads.keep(upload.id) or upload
        end = kept.received - 1
        resume = fthttp.Resume(desk.files.upload_url(upload.id), 0, end)
        return Response(fthttp.build_resume(resume), media_type=fthttp.CONTENT_TYPE)

    @server.put("/ft/u/{upload_id}")
    async def put(upload_id: str, request: Request, within: TheHouse) -> Response:
        upload = _own(desk, upload_id, digest.subscriber(request, within))
        await Receiving(desk.uploads, upload.owner, within.ids).rest(request, upload)
        return Response(status_code=200)

    @server.api_route("/ft/u/{upload_id}", methods=["GET", "HEAD"])
    async def uploaded(upload_id: str, request: Request, within: TheHouse) -> Response:
        upload = _own(desk, upload_id, digest.subscriber(request, within))
        return _given(request, desk.uploads.content(upload.id), 0)

    @server.api_route("/ft/u/{upload_id}/thumbnail", methods=["GET", "HEAD"])
    async def previewed(upload_id: str, request: Request, within: TheHouse) -> Response:
        upload = _own(desk, upload_id, digest.subscriber(request, within))
        return _given(request, desk.uploads.preview(upload.id), 0)

    @server.api_route("/ft/d/{token}/{index}", methods=["GET", "HEAD"])
    async def download(token: str, index: int, request: Request, within: TheHouse) -> Response:
        record = _delivered(desk, digest, token, request, within)
        parts = record.message.parts
        return _given(request, parts[index] if 0 <= index < len(parts) else None, index)

    @server.api_route("/ft/d/{token}/{index}/thumbnail", methods=["GET", "HEAD"])
    async def thumbnail(token: str, index: int, request: Request, within: TheHouse) -> Response:
        _delivered(desk, digest, token, request, within)
        return _given(request, desk.files.preview(token, index), index)

    return server


def _own(desk: FileDesk, upload_id: str, owner: Subscriber) -> Upload:
    upload = desk.uploads.get(upload_id)
    if upload is None or upload.owner != owner.id:
        raise not_found("upload")
    return upload


def _given(request: Request, part: Part | None, index: int) -> Response:
    if part is None:
        raise not_found("file")
    return hand_out(request, part, index)


def _delivered(desk: FileDesk, digest: HttpDigest, token: str, request: Request, within: House) -> DeliveryRecord:
    """What a device of the receiver (or the sender) was told to fetch. Others learn no more than that it is not
    theirs."""
    who = digest.subscriber(request, within) if desk.digest else None
    try:
        record, _ = desk.files.file(token)
    except KeyError:
        raise not_found("file") from None
    except Expired:
        raise Problem(410, "expired", GONE) from None
    ends = (within.people.owner_of(record.message.sender), within.people.owner_of(record.recipient))
    if who is not None and who.id not in {end.id for end in ends if end is not None}:
        raise not_found("file")
    return record


def _described(desk: FileDesk, upload: Upload) -> Response:
    return Response(fthttp.build(transfer_of(desk, upload)), media_type=fthttp.CONTENT_TYPE)


def transfer_of(desk: FileDesk, upload: Upload) -> fthttp.Transfer:
    """The document with which the sender's device tells of the file."""
    url, until = desk.files.upload_url(upload.id), _rfc3339(upload.until)
    preview = desk.uploads.preview(upload.id)
    small = None
    if preview is not None:
        small = fthttp.FileInfo(f"{url}/thumbnail", len(preview.body), preview.content_type, until)
    about = fthttp.FileInfo(url, upload.received, upload.content_type, until, upload.name, "attachment")
    return fthttp.Transfer(about, small)


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
