"""The page in a browser, on a running server. What is expected is read from the page and from the far side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from opencpm.domain.profile import HealthState
from opencpm.domain.session import SessionOffer
from tests.access.web.world import ALICE, BOB_MSN, PASSWORD, FakeLeg

from .stage import Stage, stage


class Page:
    """What a person does and sees."""

    def __init__(self, driver: webdriver.Chrome, running: Stage) -> None:
        self.driver = driver
        self.stage = running
        driver.get(running.url)

    def see(self, selector: str, text: str = "") -> WebElement:
        """Wait until an element shows that has this text."""

        def found(_: object) -> WebElement | bool:
            for element in self.driver.find_elements(By.CSS_SELECTOR, selector):
                if element.is_displayed() and text in element.text:
                    return element
            return False

        wait = WebDriverWait(self.driver, 20, poll_frequency=0.05, ignored_exceptions=[StaleElementReferenceException])
        element = wait.until(found, f"{selector} with {text!r}")
        assert isinstance(element, WebElement)
        return element

    def gone(self, selector: str) -> None:
        WebDriverWait(self.driver, 20, poll_frequency=0.05).until_not(
            lambda _: any(e.is_displayed() for e in self.driver.find_elements(By.CSS_SELECTOR, selector))
        )

    def write(self, text: str, into: str = "#composer textarea") -> None:
        self.see(into).send_keys(text, Keys.ENTER)

    def until(self, holds: Callable[[], bool]) -> None:
        WebDriverWait(self.driver, 20, poll_frequency=0.05).until(lambda _: self.stage.do(holds))


def test_the_story_on_the_page(chromium: webdriver.Chrome) -> None:
    with stage() as running:
        page = Page(chromium, running)
        page.write("Are you coming tonight?")
        page.see("#phone .sms", "Are you coming tonight?")
        page.see(".bubble-row.sent .state.delivered", "Delivered")
        page.see(".bubble-row.sent .badge", "SMS")
        page.see("#path .candidate.chosen", "SMS")
        page.see("#path .step", "SMSC receipt")

        page.write("Let us talk on MSN", into="#phone input")
        page.see(".bubble-row:not(.sent) .bubble", "Let us talk on MSN")

        page.see("#talk-head button", "Open session").click()
        page.see("#talk-head button", "Close session")
        page.see("#msn .bar", "Window open")
        page.write("Will you come?")
        page.see("#msn .line", "Will you come?")
        page.see("#msn form input").send_keys("I")
        page.see("#typing", "Bob is typing")
        page.see("#msn form input").send_keys(" promise to come", Keys.ENTER)
        page.see(".bubble-row:not(.sent) .bubble", "I promise to come")

        page.see("#talk-head button", "Close session").click()
        page.see("#path .step", "OUT, connection closed")
        page.see(".toast", "The session with Bob has ended")
        page.see("#talk-head button", "Open session")


def test_a_network_that_is_down_is_said_and_the_message_goes_out_later(chromium: webdriver.Chrome) -> None:
    with stage() as running:
        running.world.msn.state = running.world.sms.state = HealthState.DOWN
        page = Page(chromium, running)
        page.see("#banner", "down")
        page.write("Later then")
        page.see(".bubble-row.sent .state.queued", "your message waits")
        page.see("#path .candidate.dropped", "Health")

        def repair() -> None:
            running.world.sms.state = HealthState.UP
            running.world.messaging.health_changed("sms", running.world.sms.health())

        running.do(repair)
        page.see("#phone .sms", "Later then")
        page.see(".bubble-row.sent .state.delivered", "Delivered")


def test_bob_asks_for_a_session_and_alice_accepts(chromium: webdriver.Chrome) -> None:
    with stage() as running:
        page = Page(chromium, running)
        page.until(lambda: running.world.connector.hubs.is_open("alice"))
        leg = FakeLeg(None, SessionOffer(id="s-1", initiator=BOB_MSN, target=ALICE, origin="msn", at=1.0))  # type: ignore[arg-type]
        asking: list[asyncio.Task[object]] = []
        invite = running.world.messaging.invited
        running.do(lambda: asking.append(asyncio.ensure_future(invite(leg.offer, leg))))
        page.see(".invitation button", "Accept").click()
        page.gone(".invitation")
        page.see("#talk-head button", "Close session")
        page.until(lambda: asking[0].done())


def test_without_the_demo_one_signs_in_and_out(chromium: webdriver.Chrome) -> None:
    with stage(demo=False) as running:
        page = Page(chromium, running)
        page.see("#door input[autocomplete=username]").send_keys("alice")
        page.write("not this", into="#door input[type=password]")
        page.see("#door .error", "wrong")
        page.write(PASSWORD, into="#door input[type=password]")
        page.see(".talk-head .who", "Bob")
        page.gone("#far")
        page.see("#controls button", "Sign out").click()
        page.see("#door h1", "Sign in")


def test_a_refusal_keeps_the_text_and_says_why(chromium: webdriver.Chrome) -> None:
    with stage() as running:
        page = Page(chromium, running)
        page.see(".people .add").click()
        page.see(".new-contact input").send_keys("Nobody")
        page.write("sip:nobody@cpm.test", into=".new-contact input:nth-of-type(2)")
        page.see(".talk-head .who", "Nobody")
        page.write("Hello?")
        page.see(".toast.bad")
        assert page.see("#composer textarea").get_attribute("value") == "Hello?"
        page.see("#path .step.bad", "Refused")


def test_the_page_comes_back_after_the_server_was_away(chromium: webdriver.Chrome) -> None:
    with stage() as running:
        page = Page(chromium, running)
        page.until(lambda: running.world.connector.hubs.is_open("alice"))
        running.do(running.world.connector.hubs.end_all)
        page.until(lambda: not running.world.connector.hubs.is_open("alice"))
        running.do(lambda: running.world.sms.incoming("While you were away"))
        page.see(".bubble-row:not(.sent) .bubble", "While you were away")


def test_on_a_phone_nothing_is_wider_than_the_screen(chromium: webdriver.Chrome) -> None:
    with stage() as running:
        device = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", device)
        page = Page(chromium, running)
        page.write("A long text that needs more than one line on a telephone, " + "x" * 80)
        page.see(".bubble-row.sent .state.delivered")
        for number in range(4):
            page.see(f"#tabs button:nth-child({number + 1})").click()
            assert chromium.execute_script("return document.documentElement.scrollWidth") <= 390
