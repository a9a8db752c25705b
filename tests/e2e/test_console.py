"""The console in a real browser: its figures are those of the parts themselves, and its buttons do what they say."""

import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from serverless_django.local.pgbouncer import unpack_packages
from serverless_django.local.running import RunningCloud
from tests.e2e.conftest import PROJECT, Laptop, Phone, eventually
from tests.tools.browser import Browser, Page

AXE = PROJECT / "serverless-django" / "node_modules" / "axe-core" / "axe.min.js"
PROMETHEUS = PROJECT / ".local" / "tools" / "prometheus"
SERIOUS = "violations.filter(found => ['serious', 'critical'].includes(found.impact)).map(found => found.id)"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, cloud: RunningCloud) -> Iterator[Page]:
    """Return the console, live.  What it reports as an error fails the test."""
    page = browser.page(f"{cloud.console}/")
    page.until("document.getElementById('link').dataset.state === 'live'")
    yield page
    faults = page.faults()
    page.close()
    assert faults == []


def act(cloud: RunningCloud, name: str, **parameters: object) -> dict[str, Any]:
    """Press a button without a page."""
    request = urllib.request.Request(
        f"{cloud.console}/actions/{name}", json.dumps(parameters).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=90) as reply:
        return dict(json.loads(reply.read()))


def number(page: Page, selector: str) -> int:
    return int(page.text(selector) or 0)


def cell(page: Page, route: str, column: int) -> int:
    """Return a figure of the table of routes."""
    row = f"[...document.querySelectorAll('#routes-body tr')].find(row => row.cells[0].textContent === '{route}')"
    return int(page.evaluate(f"Number({row}?.cells[{column}].textContent ?? 0)"))


def server(laptop: Laptop, statement: str) -> Any:
    """Ask PostgreSQL itself."""
    sockets = (laptop.state / "sockets").read_text()
    with psycopg.connect(f"host={sockets} dbname=postgres user=postgres", autocommit=True) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def test_a_burst_sent_by_keyboard_is_counted_exactly(page: Page, cloud: RunningCloud) -> None:
    before, seen = cloud.totals().get("api_gateway invocations", 0), cell(page, "GET /v1/feed", 1)

    page.evaluate("document.getElementById('requests').focus()")
    for _ in range(8):
        page.press("ArrowLeft")
    for _ in range(3):
        page.press("Tab")
    page.press("Enter")

    page.until("document.getElementById('said').textContent.startsWith('20 requests in')", within=60)
    assert "20 × 200;" in page.text("#said")  # noqa: RUF001
    eventually(lambda: cell(page, "GET /v1/feed", 1) == seen + 20, within=timedelta(seconds=5))
    assert cloud.totals()["api_gateway invocations"] == before + 20


def test_connections_and_environments_are_those_that_the_parts_count(
    page: Page, laptop: Laptop, cloud: RunningCloud
) -> None:
    act(cloud, "burst", requests=20, at_once=4)
    backends = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' AND backend_type = 'client backend'"

    eventually(lambda: number(page, "#f-environments") == len(cloud.environments()), within=timedelta(seconds=10))
    eventually(lambda: number(page, "#f-backends") == server(laptop, backends), within=timedelta(seconds=10))
    assert 1 <= number(page, "#f-clients") <= len(cloud.environments())


def test_queues_and_dead_letters_are_those_of_sqs_and_go_back_at_a_click(
    page: Page, cloud: RunningCloud, aws: Callable[[str], Any]
) -> None:
    sqs = aws("sqs")
    name = next(url for url in sqs.list_queues()["QueueUrls"] if re.search("Queuedefault[^/]*DeadLetters", url))
    sqs.send_message(QueueUrl=name, MessageBody="not a task")
    page.until("document.querySelector('[data-queue=default]').cells[3].textContent === '1'")
    assert page.text("#tile-dead") == "1"

    page.click("[data-queue=default] button[aria-label^=Read]")
    page.until("document.querySelector('#letters[open] pre')?.textContent.includes('not a task')")
    page.press("Escape")
    page.click("[data-queue=default] button[aria-label^=Redrive]")

    page.until("document.getElementById('said').textContent === '1 messages were sent back'")
    page.until("document.querySelector('[data-queue=default]').cells[3].textContent === '0'")
    for url in sqs.list_queues()["QueueUrls"]:
        sqs.purge_queue(QueueUrl=url)


def test_an_environment_is_frozen_thawed_and_killed(page: Page, cloud: RunningCloud) -> None:
    act(cloud, "burst", requests=2, at_once=1)
    alive = "li[data-state=frozen] button[aria-label^=Freeze]"
    chosen = page.until(f"document.querySelector('{alive}')?.closest('li').dataset.number")
    pids = {environment["pid"] for environment in cloud.environments()}
    row = f"li[data-number='{chosen}']"

    page.click(f"{row} button[aria-label^=Freeze]")
    page.until(f'document.querySelector("{row}").dataset.state === "held"')
    page.click(f"{row} button[aria-label^=Thaw]")
    page.until(f'document.querySelector("{row}").dataset.state === "frozen"')
    page.click(f"{row} button[aria-label^=Kill]")
    page.until(f'document.querySelector("{row}").dataset.state === "gone"')

    killed = pids - {environment["pid"] for environment in cloud.environments()}
    assert len(killed) == 1
    assert not Path(f"/proc/{killed.pop()}").exists()


def test_a_message_delivered_twice_has_its_effect_once(
    page: Page, phone: Callable[[str], Phone], ready_photo: Callable[[Phone], str]
) -> None:
    ada = phone("ada")
    post = ada.request("POST", "/v1/posts", {"photo_id": ready_photo(ada), "caption": "twice"}).json["id"]
    ada.request("POST", "/v1/views", {"views": [{"post_id": post, "duration_ms": 900}]})
    eventually(lambda: _views(ada, post) == 1, within=timedelta(seconds=20))

    page.click("#deliver-twice")

    page.until("document.getElementById('said').textContent.includes('were delivered again to sqs; left: 0')")
    assert _views(ada, post) == 1


def _views(phone: Phone, post: str) -> int:
    return int(phone.request("GET", f"/v1/posts/{post}").json["view_count"])


def test_the_database_is_restarted_and_the_next_request_is_answered(
    page: Page, laptop: Laptop, phone: Callable[[str], Phone]
) -> None:
    before = server(laptop, "SELECT pg_postmaster_start_time()")

    page.click("#restart-database")

    page.until("document.getElementById('said').textContent === 'PostgreSQL was stopped and started again'", within=30)
    assert server(laptop, "SELECT pg_postmaster_start_time()") > before
    eventually(lambda: phone("ada").request("GET", "/v1/feed").status == 200, within=timedelta(seconds=10))
    page.until("document.getElementById('database-error').hidden")


def test_an_object_and_what_became_of_it_are_shown(
    page: Page, phone: Callable[[str], Phone], ready_photo: Callable[[Phone], str], aws: Callable[[str], Any]
) -> None:
    photo = ready_photo(phone("ada"))

    page.until(f"document.getElementById('objects-recent').textContent.includes('{photo}')")
    page.until("document.querySelector('#objects-recent .tag').textContent === 'successful'")

    s3 = aws("s3")
    (media,) = [item["Name"] for item in s3.list_buckets()["Buckets"] if "media" in item["Name"]]
    count = s3.list_objects_v2(Bucket=media)["KeyCount"]
    page.until(f"[...document.querySelectorAll('#buckets-body td.n')].some(cell => cell.textContent === '{count}')")


def test_one_id_finds_the_request_and_its_worker(laptop: Laptop, page: Page, phone: Callable[[str], Phone]) -> None:
    body = {"views": [{"post_id": "0197f4d0-0000-7000-8000-000000000000", "duration_ms": 900}]}
    wanted = phone("ada").request("POST", "/v1/views", body).headers["x-request-id"]

    found = eventually(lambda: _lines(laptop, wanted), within=timedelta(seconds=20))

    assert [line["function"] for line in found][:1] == ["api_gateway"]
    page.evaluate(f"document.getElementById('id').value = {json.dumps(wanted)}")
    page.click("#follow button")
    page.until(f"document.getElementById('log-note').textContent.startsWith('{len(found)} lines of one request')")


def _lines(laptop: Laptop, wanted: str) -> list[dict[str, Any]]:
    told = laptop.run("logs", "--json", wanted)
    lines = [json.loads(text) for text in told.stdout.splitlines()]
    return lines if {line["function"] for line in lines} == {"api_gateway", "sqs"} else []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_is_accessible(page: Page, width: int, dark: bool) -> None:
    page.resize(width, 900, dark=dark)
    page.until("document.querySelectorAll('#queues-body tr').length > 0")
    page.evaluate(f"{AXE.read_text()}; 0")

    assert page.evaluate(f"axe.run().then(({{violations}}) => {SERIOUS})") == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_prometheus_accepts_the_metrics(cloud: RunningCloud) -> None:
    promtool = _promtool()
    with urllib.request.urlopen(f"{cloud.console}/metrics", timeout=10) as reply:
        metrics = reply.read()

    checked = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True, check=False)

    assert (checked.returncode, checked.stderr.decode()) == (0, "")
    count = cloud.totals()["api_gateway invocations"]
    assert f'serverless_invocations_total{{source="api_gateway"}} {count}\n' in metrics.decode()


def _promtool() -> str:
    program = PROMETHEUS / "usr" / "bin" / "promtool"
    if not program.exists():
        unpack_packages(PROMETHEUS, ["prometheus"])
    found = [str(path) for folder in os.get_exec_path() if (path := Path(folder) / "promtool").exists()]
    if program.exists() or found:
        return str(program) if program.exists() else found[0]
    pytest.skip("no promtool: put Prometheus on the PATH; Debian's package `prometheus` has it")
