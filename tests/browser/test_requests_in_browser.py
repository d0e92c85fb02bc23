"""A browser that shows the app talks to the app alone."""

from urllib.parse import urlsplit

PAGES = ("", "follow_up", "atlas", "learn", "error_analysis", "head_to_head")


def test_no_page_asks_another_server_for_anything(page, address):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PAGES:
        page.goto(f"{address}/{path}")
        page.locator("h1").wait_for()
        page.wait_for_load_state("networkidle")
    hosts = {urlsplit(url).netloc for url in asked if url.startswith(("http", "ws"))}
    assert hosts == {urlsplit(address).netloc}
