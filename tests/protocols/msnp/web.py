"""The web service calls of a recording: what was asked, and answers rebuilt from the elements that were kept."""

from opencpm.protocols.msnp.soap import HttpReply, HttpRequest
from tests.protocols.msnp.script import Step, read


def requests(file: str, path: str) -> list[Step]:
    """All recorded requests to a path."""
    return [step for step in read(file) if step.name == "HTTP" and step.kind == "C" and step.line.endswith(path)]


def headers_of(step: Step) -> dict[str, str]:
    lines = step.data.decode().split("\n")
    return dict(line.split(": ", 1) for line in lines[: _body_at(lines)])


def body_of(step: Step) -> str:
    lines = step.data.decode().split("\n")
    return "\n".join(lines[_body_at(lines) :])


def _body_at(lines: list[str]) -> int:
    return next((at for at, line in enumerate(lines) if line.startswith("<?xml")), len(lines))


def same(request: HttpRequest, step: Step) -> None:
    """Our request is the recorded one, octet for octet (line breaks were not kept by the recording)."""
    assert request.body.decode().replace("\r\n", "\n") == body_of(step)
    recorded = headers_of(step)
    assert {name: request.headers[name].split(";")[0] for name in request.headers} == {
        name: value.split(";")[0] for name, value in recorded.items()
    }


def soap_reply(inside: str, status: int = 200) -> HttpReply:
    """An answer with this body."""
    text = (
        '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soap:Body>{inside}</soap:Body></soap:Envelope>"
    )
    return HttpReply(status, {"content-type": "text/xml"}, text.encode())


def fault(code: str, errorcode: str = "", more: str = "") -> HttpReply:
    detail = f"<errorcode>{errorcode}</errorcode><errorstring>no</errorstring>" if errorcode else ""
    what = f"<faultcode>{code}</faultcode><faultstring>f</faultstring><detail>{detail}{more}</detail>"
    return soap_reply(f"<soap:Fault>{what}</soap:Fault>", 500)
