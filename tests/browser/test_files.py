"""Files on the page: attached by button, paste and drop, uploaded with what is still to come, shown in the bubble."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from opencpm.domain.message import Part

from .stage import Stage, stage
from .test_page import Page

GIVE = """
const file = new File([new Uint8Array(arguments[1])], arguments[0], {type: arguments[2]});
const data = new DataTransfer();
data.items.add(file);
"""
DROP = f"""{GIVE}
const talk = document.getElementById("talk");
for (const kind of ["dragenter", "dragover", "drop"])
  talk.dispatchEvent(new DragEvent(kind, {{dataTransfer: data, bubbles: true, cancelable: true}}));
"""
PASTE = f"""{GIVE}
const pasting = new ClipboardEvent("paste", {{clipboardData: data, bubbles: true, cancelable: true}});
document.querySelector("#composer textarea").dispatchEvent(pasting);
"""


def picture(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 200), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def running() -> Iterator[Stage]:
    with stage() as found:
        found.world.sms.profile = replace(found.world.sms.profile, content_types=("*/*",))
        yield found


def attach(page: Page, *paths: Path) -> None:
    page.see("#composer .attach")
    page.driver.find_element(By.CSS_SELECTOR, "#composer input[type=file]").send_keys("\n".join(map(str, paths)))


def shown(page: Page) -> int:
    """How wide the picture in the bubble really is."""
    wide = "return document.querySelector('.bubble-row.sent .bubble img')?.naturalWidth"
    return int(WebDriverWait(page.driver, 20, poll_frequency=0.05).until(lambda driver: driver.execute_script(wide)))


def test_a_picture_by_the_button(chromium: webdriver.Chrome, running: Stage, tmp_path: Path) -> None:
    (tmp_path / "garden.png").write_bytes(picture())
    page = Page(chromium, running)
    attach(page, tmp_path / "garden.png")
    page.see("#composer .chip", "garden.png")
    page.see("#composer .forecast", "Goes by SMS")
    page.write("Look")
    page.gone("#composer .chip")
    assert shown(page) == 320
    assert page.see(".bubble img").get_attribute("alt") == "Picture: garden.png"
    page.see(".bubble-row.sent .bubble", "Look")
    [sent] = running.do(lambda: list(running.world.sms.sent))
    assert [part.media_type for part in sent.message.parts] == ["text/plain", "image/png"]
    assert sent.message.parts[1].body == picture()


def test_by_drop_and_by_paste_and_removed_by_keyboard(chromium: webdriver.Chrome, running: Stage) -> None:
    page = Page(chromium, running)
    page.see("#composer .attach")
    chromium.execute_script(DROP, "dropped.png", list(picture("navy")), "image/png")
    page.see("#composer .chip", "dropped.png")
    chromium.execute_script(PASTE, "pasted.png", list(picture("olive")), "image/png")
    page.see("#composer .chip", "pasted.png")
    remove = page.see("#composer .chip [aria-label='Remove dropped.png']")
    remove.send_keys(Keys.ENTER)
    page.until(lambda: len(running.world.filing.uploads._held) == 1)
    assert [chip.text.splitlines()[0] for chip in chromium.find_elements(By.CSS_SELECTOR, ".chip")] == ["pasted.png"]
    assert chromium.switch_to.active_element.get_attribute("aria-label") == "Attach files"
    page.see("#composer .send").click()
    assert shown(page) == 320


def test_a_file_that_is_no_picture(chromium: webdriver.Chrome, running: Stage, tmp_path: Path) -> None:
    (tmp_path / "plan.pdf").write_bytes(b"%PDF-1.4 a plan")
    page = Page(chromium, running)
    attach(page, tmp_path / "plan.pdf")
    page.see("#composer .chip", "15 bytes")
    page.see("#composer .send").click()
    page.see(".bubble-row.sent button.file", "Save plan.pdf")

    part = running.do(lambda: running.world.sms.sent[0].message.parts[0])
    assert part == Part("application/pdf", b"%PDF-1.4 a plan", "plan.pdf", "attachment")


def test_too_large_is_said_before_anything_is_sent(chromium: webdriver.Chrome, running: Stage, tmp_path: Path) -> None:
    (tmp_path / "huge.bin").write_bytes(bytes(20_001))
    page = Page(chromium, running)
    attach(page, tmp_path / "huge.bin")
    page.see(".toast.bad", "huge.bin is too large")
    assert not chromium.find_elements(By.CSS_SELECTOR, ".chip")


def test_on_a_phone_nothing_is_cut_off(chromium: webdriver.Chrome, running: Stage, tmp_path: Path) -> None:
    names = [f"a rather long name of a picture number {number}.png" for number in range(3)]
    for name in names:
        (tmp_path / name).write_bytes(picture())
    chromium.set_window_size(390, 780)
    page = Page(chromium, running)
    attach(page, *[tmp_path / name for name in names])
    page.see("#composer .chip", names[2][:20])
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chromium.execute_script(wide) == 0
    page.see("#composer .send").click()
    assert shown(page) == 320
    assert chromium.execute_script(wide) == 0


def test_the_page_behind_a_link(chromium: webdriver.Chrome, running: Stage, tmp_path: Path) -> None:
    """Without a login; nothing in it is against its own policy (the fixture looks), and a phone shows all of it."""
    (tmp_path / "garden.png").write_bytes(picture())
    page = Page(chromium, running)
    attach(page, tmp_path / "garden.png")
    page.see("#composer .forecast", "Goes by SMS")
    page.write("Look")
    page.gone("#composer .chip")
    page.until(lambda: bool(running.world.sms.sent))

    def link() -> str:
        delivery = running.world.sms.sent[0]
        address: str = running.world.filing.files.share(delivery.id, running.world.clock.now() + 1000).page
        return address

    chromium.set_window_size(390, 780)
    chromium.get(running.do(link))
    page.see(".text", "Look")
    loaded = "return document.querySelector('figure img')?.naturalWidth"
    assert WebDriverWait(chromium, 20, poll_frequency=0.05).until(lambda driver: driver.execute_script(loaded)) == 320
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert chromium.execute_script(wide) == 0
    assert not chromium.find_elements(By.CSS_SELECTOR, "script, form")
