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
