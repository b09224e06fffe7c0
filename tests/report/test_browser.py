"""The report in a real browser: it sorts, searches, leads to a student and back, and asks the network for nothing.

Runs with Debian's chromium or another, driven by playwright; skipped where one of them is missing.
"""

from __future__ import annotations

import shutil

import pytest

from grader.report import write_report
from tests.report.synthetic import HOSTILE, make_class

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; nothing drives a browser")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium here; to get it: sudo apt install chromium")


@pytest.fixture(scope="module")
def index(pool, tmp_path_factory):
    documents = make_class(pool, 30)
    for number, document in enumerate(documents):
        student = {"name": HOSTILE[number % len(HOSTILE)], "email": "<b>@x.edu"}
        told = {"from": "canvas", "students": [student], "late": number % 5 == 0, "at": "<i>", "nothing": number == 7}
        document["handed_in"] = told
        document["assignments"][0]["tests"][0]["curve"] = [3.0, 2.0, 1.0 + number % 3]
    return write_report(documents, tmp_path_factory.mktemp("browser"), make_class(pool, 30, seed=1))


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["desktop", "phone"])
def page(request, browser, index):
    """The report, opened; at the end nothing was complained about and nothing fetched."""
    width, scheme = request.param
    opened = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    complaints, fetched = [], []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
    opened.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else fetched.append(r.url))
    opened.goto(index.as_uri())
    yield opened
    assert (complaints, fetched) == ([], [])
    opened.close()


def column(page, table, place):
    return page.locator(f"#{table} tbody tr:visible").evaluate_all(
        f"rows => rows.map(row => row.cells[{place}].textContent.trim())"
    )


def test_it_sorts_by_a_press_and_by_a_key(page):
    button = page.locator("#students thead button").nth(1)
    button.click()
    assert page.locator("#students thead th").nth(1).get_attribute("aria-sort") == "descending"
    scores = [float(text) for text in column(page, "students", 1)]
    assert scores == sorted(scores, reverse=True) and len(set(scores)) > 5
    button.press("Enter")
    assert [float(text) for text in column(page, "students", 1)] == sorted(scores)
    assert page.locator("#students thead th").nth(1).get_attribute("aria-sort") == "ascending"
    page.locator("#students thead button").nth(0).press("Space")
    names = column(page, "students", 0)
    assert names == page.evaluate("names => [...names].sort((a, b) => a.localeCompare(b))", names)


def test_it_searches_and_says_how_many(page):
    page.get_by_label("Find a student", exact=True).fill("ADA 0")
    names = column(page, "students", 0)
    assert names and all("ada" in name for name in names) and len(names) < 30
    assert page.locator("output[for=find-students]").text_content() == f"{len(names)} of 30"
    page.get_by_label("Find a student", exact=True).fill("")
    assert len(column(page, "students", 0)) == 30


def test_a_student_and_back(page, index):
    for name in HOSTILE:
        name = name.replace("/", "_")
        page.locator("#students tbody th a", has_text=name).first.click()
        page.wait_for_load_state("load")
        assert page.locator("h1").text_content() == " ".join(name.split())
        assert page.locator("article.test, details").count() > 0
        page.get_by_role("link", name="Class report").click()
        page.wait_for_load_state("load")
        assert page.url.split("#")[0] == index.as_uri()


def test_the_way_back_stays_after_a_link_within_the_page(page):
    page.locator("#students tbody th a", has_text="ada-000").first.click()
    page.wait_for_load_state("load")
    page.locator("table th a").first.click()
    assert "#a" in page.url
    assert page.get_by_role("link", name="Class report").is_visible()


def test_a_page_that_is_handed_out_alone_has_no_way_back(page, index):
    alone = next((index.parent / "students").glob("*.html"))
    page.goto(alone.as_uri())
    assert page.locator("h1").is_visible()
    assert not page.get_by_text("Class report").is_visible()


def test_names_and_late_marks_can_be_searched_for(page):
    find = page.get_by_label("Find a student", exact=True)
    find.fill("late")
    assert len(column(page, "students", 0)) == 6
    find.fill(HOSTILE[0])
    assert all(HOSTILE[0] in text for text in column(page, "students", 0)) and column(page, "students", 0)
    find.fill("")


def test_a_students_page_has_the_loss_curve_and_fits_the_screen(page):
    page.locator("#students tbody th a", has_text="ada-000").first.click()
    page.wait_for_load_state("load")
    assert "Handed in late, <i>." in page.locator("header").text_content()
    curve = page.locator("figure img")
    assert curve.count() == 1 and curve.evaluate("img => img.complete && img.naturalWidth > 100 && img.alt")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_is_wider_than_the_screen_and_pictures_are_there(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pictures = page.locator("figure img")
    assert pictures.count() == 4
    assert pictures.evaluate_all("all => all.every(img => img.complete && img.naturalWidth > 100 && img.alt)")


def test_every_control_has_a_name_and_can_be_reached_by_keys(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate(
        "[...document.querySelectorAll('input, button, a, [tabindex]')].every("
        "e => e.tabIndex >= 0 && (e.labels?.length || e.textContent.trim() || e.ariaLabel))"
    )
    levels = page.locator("h1, h2, h3").evaluate_all("all => all.map(e => Number(e.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
