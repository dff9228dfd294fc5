"""`opencpm demo` as people start it: the page, the stand-in networks, one command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "opencpm.cli", "demo", "--no-browser", "--json", "--port", "0"]
    with (tmp_path / "stderr").open("w") as errors:
        running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            assert line, (tmp_path / "stderr").read_text()
            yield json.loads(line)["page"]
        finally:
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=30)


def test_a_text_to_the_phone_an_answer_and_a_talk_on_msn(chromium: webdriver.Chrome, demo: str) -> None:
    chromium.get(demo)
    waiting = WebDriverWait(chromium, 30, poll_frequency=0.05)

    def see(selector: str, text: str) -> None:
        script = "return [...document.querySelectorAll(arguments[0])].some(e => e.textContent.includes(arguments[1]))"
        waiting.until(lambda _: chromium.execute_script(script, selector, text), f"{selector}: {text}")

    def write(selector: str, text: str) -> None:
        waiting.until(lambda _: chromium.find_element(By.CSS_SELECTOR, selector).is_enabled())
        chromium.find_element(By.CSS_SELECTOR, selector).send_keys(text, Keys.ENTER)

    def press(text: str) -> None:
        see("#talk-head button", text)
        chromium.find_element(By.CSS_SELECTOR, "#talk-head button").click()

    see(".talk-head .who", "Bob")
    write("#composer textarea", "Are you coming?")
    see("#phone .sms", "Are you coming?")
    see(".bubble-row.sent .state", "Delivered")
    see("#path .step", "SMSC receipt")
    write("#phone input", "Let us talk on MSN")
    see(".bubble-row:not(.sent) .bubble", "Let us talk on MSN")
    press("Open session")
    see("#talk-head button", "Close session")
    write("#composer textarea", "Here I am")
    see("#msn .line", "Here I am")
    write("#msn form input", "I promise to come")
    see(".bubble-row:not(.sent) .bubble", "I promise to come")
    press("Close session")
    see("#path .step", "Closed")
    see("#msn .bar", "No window open")


def test_a_text_to_the_home_telephone_as_sound(chromium: webdriver.Chrome, demo: str) -> None:
    chromium.get(demo)
    waiting = WebDriverWait(chromium, 30, poll_frequency=0.05)

    def see(selector: str, text: str) -> None:
        script = "return [...document.querySelectorAll(arguments[0])].some(e => e.textContent.includes(arguments[1]))"
        waiting.until(lambda _: chromium.execute_script(script, selector, text), f"{selector}: {text}")

    def find(selector: str) -> WebElement:
        return waiting.until(lambda _: chromium.find_element(By.CSS_SELECTOR, selector))

    def write(selector: str, text: str) -> None:
        waiting.until(lambda _: find(selector).is_displayed() and find(selector).is_enabled())
        find(selector).send_keys(text, Keys.ENTER)

    see(".talk-head .who", "Bob")
    Select(find("#composer select[aria-label='Telephone number']")).select_by_value("tel:+12025550131")
    write("#composer textarea", "Are you at home?")
    see("#home .sms", "Are you at home?")  # it rang, and the page turned to it
    assert find("#tab-home").get_attribute("aria-selected") == "true"
    see(".bubble-row.sent .state", "Delivered")
    see("#path .step", "ACK of the SMS terminal")
    see("#home .call", "released")
    frames = chromium.find_elements(By.CSS_SELECTOR, "#home .call .frames li")
    assert [frame.text.split()[0] for frame in frames] == ["EST", "DATA", "ACK", "REL"]
    write("#home form input", "Yes, come!")
    see(".bubble-row:not(.sent) .bubble", "Yes, come!")
    chosen = Select(find("#composer select[aria-label='Telephone number']")).first_selected_option
    assert chosen.get_attribute("value") == "tel:+12025550131"  # an answer goes where he wrote from

    find("#home .look").send_keys(Keys.ENTER)
    see("dialog.sound .spoken button[aria-pressed=true]", "Are you at home?")
    see("dialog.sound .octets", "91")
    picture = find("dialog.sound .bits svg[role=img]")
    assert "Octets in view: 91" in (picture.get_attribute("aria-label") or "")
    before = picture.get_attribute("aria-label")
    find("dialog.sound input[type=range]").send_keys(Keys.ARROW_RIGHT)
    waiting.until(lambda _: find("dialog.sound .bits svg").get_attribute("aria-label") != before)
    assert "SMS centre DATA from" in (find("dialog.sound .whole svg").get_attribute("aria-label") or "")
    find("dialog.sound .spoken button").click()
    see("dialog.sound .what", "EST: I am ready")
    chromium.switch_to.active_element.send_keys(Keys.ESCAPE)
    waiting.until(lambda _: not chromium.find_elements(By.CSS_SELECTOR, "dialog.sound"))
    find("#tab-home").send_keys(Keys.ARROW_LEFT)
    assert find("#mobile").is_displayed()
    assert not find("#home").is_displayed()
