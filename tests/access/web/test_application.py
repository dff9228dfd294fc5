"""Guards around every request, the page's files and the documentation."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx

from opencpm.access.web.application import application
from opencpm.access.web.page import static_files

from .world import world


async def test_a_request_that_is_too_large_is_refused_announced_or_not() -> None:
    async with world() as w:
        big = b'{"to":["+12025550101"],"text":"' + b"x" * 200_000 + b'"}'

        async def piecemeal():
            for at in range(0, len(big), 10_000):
                yield big[at : at + 10_000]

        for content in (big, piecemeal()):
            answer = await w.client.post(
                "/api/v1/messages", content=content, headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, answer.json()["reason"]) == (413, "too-large")


async def test_malformed_bodies_are_problems() -> None:
    async with world() as w:
        for body in (b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"to": NaN}', b"null", b"1" * 5000, b'"x"'):
            answer = await w.client.post("/api/v1/messages", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 413, 422), body[:20]
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"].startswith("/api/docs#")


async def test_errors_never_repeat_what_was_sent() -> None:
    async with world() as w:
        answer = await w.client.post("/api/v1/login", json={"user": ["hunter2"], "password": {"secret": "hunter2"}})
        assert answer.status_code == 422
        assert "hunter2" not in answer.text


async def test_every_answer_has_the_security_headers() -> None:
    async with world() as w:
        for path in ("/", "/api/v1/me", "/api/docs", "/nothing", "/api/nothing"):
            headers = (await w.client.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "connect-src 'self';" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert "access-control-allow-origin" not in headers


async def test_the_demo_card_is_for_this_machine_only_and_opens_the_way_to_its_lab() -> None:
    card = {"lab": "http://127.0.0.1:9000", "alice_token": "t"}
    async with world() as w:
        assert (await w.client.get("/demo.json", headers={"Host": "localhost"})).status_code == 404
    async with world(demo=card) as w:
        answer = await w.client.get("/demo.json", headers={"Host": "127.0.0.1:8080"})
        assert answer.json() == card
        assert "connect-src 'self' http://127.0.0.1:9000;" in answer.headers["content-security-policy"]
        assert (await w.client.get("/demo.json", headers={"Host": "evil.test"})).status_code == 404
    async with world(demo={"lab": "http://x; script-src *"}) as w:
        assert "script-src *" not in (await w.client.get("/")).headers["content-security-policy"]


async def test_files_are_served_from_a_closed_list_with_etags() -> None:
    async with world() as w:
        page = await w.client.get("/")
        assert page.headers["content-type"].startswith("text/html")
        again = await w.client.get("/", headers={"If-None-Match": page.headers["etag"]})
        assert again.status_code == 304
        for path in ("/../page.py", "/..%2fpage.py", "/static/index.html", "/js/", "/js/none.js", "/%00"):
            assert (await w.client.get(path)).status_code == 404


async def test_the_page_and_the_documentation_use_nothing_foreign() -> None:
    async with world() as w:
        docs = (await w.client.get("/api/docs")).text
        assert "POST" in docs
        assert 'id="no-route"' in docs
        for text in [docs, *(file.body.decode() for file in static_files().values())]:
            assert not re.findall(r"(?:src|href|url\(|@import|from)\s*[=(]?\s*[\"']?https?://", text)


def test_every_module_and_style_of_the_page_exists() -> None:
    files = static_files()
    wanted = set()

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            for name, value in attrs:
                if name in ("href", "src") and value and value.startswith("/") and "." in value:
                    wanted.add(value[1:])

    Links().feed(files["index.html"].body.decode())
    for name, file in files.items():
        if name.endswith(".js"):
            wanted |= {f"js/{found}" for found in re.findall(r'from "\./([^"]+)"', file.body.decode())}
    assert wanted <= set(files)
    assert wanted


async def test_other_origins_may_call_only_where_the_operator_says_so() -> None:
    async with world() as w:
        app = application(w.house, ["https://chat.test"])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cpm.test") as client:
            ask = {"Origin": "https://chat.test", "Access-Control-Request-Method": "POST"}
            allowed = await client.options("/api/v1/messages", headers=ask)
            assert allowed.headers["access-control-allow-origin"] == "https://chat.test"
            denied = await client.options("/api/v1/messages", headers={**ask, "Origin": "https://evil.test"})
            assert "access-control-allow-origin" not in denied.headers
