"""Files before they are sent: uploaded once, gone on with after a break, then named in a message."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from opencpm.access.web import views
from opencpm.access.web.api.caller import Caller, TheHouse
from opencpm.access.web.desk import FileDesk
from opencpm.access.web.house import House
from opencpm.access.web.problems import Problem, not_found
from opencpm.access.web.receiving import Receiving
from opencpm.domain.message import Part
from opencpm.interfaces import Upload

router = APIRouter(tags=["files"])
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["File"],
                    "properties": {
                        "tid": {"type": "string", "description": "Your name of this upload, to go on with it."},
                        "Thumbnail": {"type": "string", "format": "binary", "description": "A small JPEG or PNG."},
                        "File": {"type": "string", "format": "binary", "description": "Last, with its name and type."},
                    },
                }
            }
        },
    }
}
_BYTES = {
    "requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    "parameters": [
        {
            "name": "Content-Range",
            "in": "header",
            "required": True,
            "schema": {"type": "string"},
            "description": "bytes <first>-<last>/<total>",
        }
    ],
}


@router.post("/files", status_code=201, summary="Upload a file, to name it in a message", openapi_extra=_FORM)
async def upload(request: Request, caller: Caller, within: TheHouse) -> dict[str, Any]:
    """Answered when it is durably stored. What broke off goes on with `GET /files?tid=` and `PUT /files/{id}`; the same
    `tid` again, once it is complete, is the same file."""
    found = await Receiving(_desk(within).uploads, caller.id, within.ids).form(request)
    return view(found)


@router.get("/files", summary="How far an upload came")
async def known(
    caller: Caller, within: TheHouse, tid: Annotated[str, Query(max_length=128, description="As it was uploaded.")]
) -> dict[str, Any]:
    uploads = _desk(within).uploads
    found = uploads.of(caller.id, tid)
    if found is None:
        raise not_found("upload")
    return view(await uploads.keep(found.id) or found)


@router.put("/files/{ident}", summary="The rest of a file that broke off", openapi_extra=_BYTES)
async def rest(ident: str, request: Request, caller: Caller, within: TheHouse) -> dict[str, Any]:
    found = await Receiving(_desk(within).uploads, caller.id, within.ids).rest(request, _own(within, caller.id, ident))
    return view(found)


@router.delete("/files/{ident}", status_code=204, summary="Forget it; messages that hold it keep it")
async def forget(ident: str, caller: Caller, within: TheHouse) -> Response:
    await _desk(within).uploads.remove(_own(within, caller.id, ident).id)
    return Response(status_code=204)


def view(item: Upload) -> dict[str, Any]:
    return {
        "id": item.id,
        "tid": item.tid,
        "name": item.name,
        "content_type": item.content_type,
        "received": item.received,
        "total": item.total,
        "complete": item.complete,
        "until": views.time(item.until),
    }


def content(within: House, owner: str, ident: str, *, taken: bool = True) -> Part:
    """The whole of a file, for a message that takes it (or for a question that only looks).

    :raises Problem: 404: not theirs, not complete, expired.
    """
    uploads = _desk(within).uploads
    found = _own(within, owner, ident)
    part = uploads.content(found.id)
    if part is None:
        raise Problem(409, "not-acceptable", "The upload is not complete.")
    if taken:
        uploads.taken(found.id)
    return part


def _own(within: House, owner: str, ident: str) -> Upload:
    found = _desk(within).uploads.get(ident)
    if found is None or found.owner != owner:
        raise not_found("upload")
    return found


def _desk(within: House) -> FileDesk:
    if within.desk is None:
        raise Problem(404, "not-found", "This server takes no files.")
    return within.desk
