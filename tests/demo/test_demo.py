"""The demo passes against a feed that keeps its promises, and fails against one that breaks any of them."""

import asyncio
import contextlib
import json
import os
import signal
import threading

import pytest

from tests import figures
from tests.demo import demo, phone
from tests.demo.fake_feed import FakeFeed


@pytest.fixture
def play(monkeypatch, tmp_path):
    def play(fault=""):
        feed = FakeFeed(fault)
        monkeypatch.setattr(phone, "send", feed.send)
        monkeypatch.setattr(demo, "send", feed.send)
        monkeypatch.setattr(demo, "PATIENCE_SECONDS", 0.05)
        monkeypatch.setattr(demo, "write_figures", lambda *args: figures.write_figures(*args, folder=tmp_path))
        return demo.play_and_report(feed)

    return play


def test_a_feed_that_keeps_its_promises_passes(play, capsys, tmp_path):
    assert play() == 0

    shown = capsys.readouterr().out
    assert "50 members like one post" in shown
    assert "messages waiting 0, dead letters 0" in shown
    assert json.loads((tmp_path / "demo.json").read_text())["figures"]["mismatches"] == 0


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("open door", "status without a valid token: expected 401, saw 200"),
        ("text accepted", "expected ['ready', 'ready', 'rejected'], saw ['ready', 'ready', 'ready']"),
        ("torn rendition", "cannot identify image file"),
        ("oldest first", "pages of the feed: expected [['post1'], ['post0']], saw [['post0'], ['post1']]"),
        ("counted twice", "expected [(50, 50), (0, 50)], saw [(51, 50), (0, 50)]"),
        ("lost", "not within 0.05 s; saw last [(49, 50), (0, 50)]"),
        ("dead letter", "messages among the dead letters: expected 0, saw 1"),
    ],
)
def test_a_broken_promise_fails_and_is_named(play, capsys, tmp_path, fault, complaint):
    assert play(fault) == 1

    assert complaint in capsys.readouterr().out
    assert json.loads((tmp_path / "demo.json").read_text())["figures"]["mismatches"] == 1


@pytest.fixture
def interruptible():
    """Take SIGINT as in the foreground: a shell starts what runs in the background with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_system_that_the_demo_started(monkeypatch, capsys, number):
    stopped = threading.Event()

    @contextlib.asynccontextmanager
    async def system():
        try:
            yield FakeFeed()
        finally:
            stopped.set()

    monkeypatch.setattr(demo, "system_at_hand", system)
    # As a phone does: it goes on until the system that it calls is gone.
    monkeypatch.setattr(demo, "play_and_report", lambda _: (os.kill(os.getpid(), number), stopped.wait(5)))

    assert asyncio.run(demo.run_demo()) == demo.INTERRUPTED
    assert stopped.is_set()
    assert "stopped before the end" in capsys.readouterr().out
