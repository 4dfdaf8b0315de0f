"""The example shop's admin in a real browser, where one and its driver are installed."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="a browser is driven through selenium")

from selenium.common.exceptions import WebDriverException  # noqa: E402 - after the skip
from selenium.webdriver.common.by import By  # noqa: E402 - as above
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402 - as above

MANAGE = Path(__file__).parents[3] / "examples" / "shop_django" / "manage.py"
PATIENCE = 60
"""Seconds that the shop has to start."""
PHONE, EMAIL, ADDRESS = "13800000007", "customer7@example.cn", "青岛市 经十路 8 号"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The shop as its one command starts it: the address of its pages."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    data = str(tmp_path_factory.mktemp("shop"))
    environment = {**os.environ, "SHOP_DATA": data, "DJANGO_SETTINGS_MODULE": "shop.settings"}
    log = tmp_path_factory.mktemp("log") / "shop.log"
    with log.open("wb") as told:
        running = subprocess.Popen(
            [sys.executable, str(MANAGE), "demo", address], env=environment, stdout=told, stderr=told
        )
    try:
        _wait(f"http://{address}/admin/login/", running, log)
        yield f"http://{address}"
    finally:
        running.terminate()
        running.wait()


def _wait(page, running, log):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(page):  # noqa: S310 - a page of our own
                return
        except URLError:
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)


@pytest.fixture(scope="module")
def browser():
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("no browser: install chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for said in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1300,900",
    ):
        options.add_argument(said)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield browser
    browser.quit()


@pytest.fixture
def visit(shop, browser):
    """Open a page as a user; gives what is written on it."""

    def visit(user, path):
        if user != getattr(browser, "user", None):
            browser.delete_all_cookies()
            browser.get(f"{shop}/admin/login/")
            fill(browser, username=user, password=user)
            browser.user = user
        browser.get(shop + path)
        return browser.page_source

    return visit


@contextmanager
def leaving(browser):
    """Wait until the page that the block leads to has taken the place of this one, which no click is sure to do.

    The page that is left bears a mark. Its elements would not do: between two pages the driver answers for
    them with whatever error it comes upon, and for a mark that is asked for again it does not matter.
    """
    browser.execute_script("window.isLeft = false")
    yield
    arrived = "return window.isLeft === undefined && document.readyState === 'complete'"
    WebDriverWait(browser, PATIENCE, ignored_exceptions=[WebDriverException]).until(
        lambda browser: browser.execute_script(arrived)
    )


def fill(browser, **fields):
    """Type into a form, and send it."""
    for name, text in fields.items():
        box = browser.find_element(By.NAME, name)
        box.clear()
        box.send_keys(text)
    with leaving(browser):
        box.submit()


def open_customer(browser, visit, user):
    """The page of one customer, come to by its link in the list."""
    visit(user, "/admin/shop/customer/")
    row = next(row for row in browser.find_elements(By.CSS_SELECTOR, "#result_list tbody tr") if "0007" in row.text)
    with leaving(browser):
        row.find_element(By.CSS_SELECTOR, "th a").click()
    return browser.page_source


@pytest.mark.parametrize("user", ["desk", "owner"])
def test_lists_are_masked(browser, visit, user):
    page = visit(user, "/admin/shop/customer/")
    assert "138****0007" in browser.find_element(By.ID, "result_list").text
    assert PHONE not in page
    assert EMAIL not in page


def test_a_row_is_masked_without_the_permission(browser, visit):
    page = open_customer(browser, visit, "desk")
    assert "138****0007" in page
    assert not [secret for secret in (PHONE, EMAIL, ADDRESS) if secret in page]
    assert browser.find_elements(By.NAME, "phone") == []
    fill(browser, city="威海")
    assert "was changed successfully" in browser.page_source
    open_customer(browser, visit, "owner")
    assert browser.find_element(By.NAME, "city").get_attribute("value") == "威海"
    assert browser.find_element(By.NAME, "phone").get_attribute("value") == PHONE


def test_a_row_is_shown_with_the_permission(browser, visit):
    page = open_customer(browser, visit, "owner")
    assert browser.find_element(By.NAME, "email").get_attribute("value") == EMAIL
    assert ADDRESS in page


def test_a_duplicate_is_an_error_of_the_form(browser, visit):
    visit("owner", "/admin/shop/customer/add/")
    fill(browser, name="王伟", email=EMAIL)
    (error,) = browser.find_elements(By.CSS_SELECTOR, ".field-email .errorlist")
    assert "already exists" in error.text


@pytest.mark.parametrize("term", [EMAIL, PHONE])
def test_only_who_may_reveal_finds_by_value(browser, visit, term):
    visit("owner", "/admin/shop/customer/")
    fill(browser, q=term)
    assert "1 customer" in browser.find_element(By.CSS_SELECTOR, ".paginator").text
    assert "138****0007" in browser.find_element(By.ID, "result_list").text
    visit("desk", "/admin/shop/customer/")
    fill(browser, q=term)
    assert browser.find_elements(By.ID, "result_list") == []


def test_nobody_filters_by_a_value_without_the_permission(visit):
    assert "not allowed" in visit("desk", f"/admin/shop/customer/?email={EMAIL}")
    assert "138****0007" in visit("owner", f"/admin/shop/customer/?email={EMAIL}")


def test_the_service_desk_finds_the_caller(browser, visit):
    visit("desk", "/")
    fill(browser, phone="+86 138 0000 0007")
    assert browser.find_element(By.CSS_SELECTOR, "h2").text
    assert PHONE not in browser.page_source
