"""The system that `make run` started in another terminal, as other commands see it."""

import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

from local.emulator import CREDENTIALS
from local.processes import ProcessError

STATE = Path(__file__).resolve().parent.parent / ".local" / "state"
RECORD = "running.json"
TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCloud:
    """Written by the launcher while it serves."""

    pid: int
    url: str
    """Of the API."""

    control: str
    console: str
    """Of the page that shows what happens."""

    endpoint: str
    """Of the emulated AWS."""

    outputs: Mapping[str, str]
    """Of both stacks."""

    issuer: str
    audience: str
    variables: Mapping[str, str]
    """Of the API's function, and what this machine adds to them."""

    @classmethod
    def find(cls, state: Path = STATE) -> Self:
        """Raise ProcessError if nothing is running."""
        if not cls.is_there(state):
            raise ProcessError("the system is not running; start it with `make run` in another terminal")
        return cls(**json.loads((state / RECORD).read_text()))

    @classmethod
    def is_there(cls, state: Path = STATE) -> bool:
        """Return whether the launcher that wrote the record lives."""
        try:
            os.kill(json.loads((state / RECORD).read_text())["pid"], 0)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return True

    def deploy(self) -> None:
        """Have the launcher deploy the working copy.  Raise ProcessError with the CDK CLI's words."""
        if error := self._ask("deploy").get("error"):
            raise ProcessError(error)

    def totals(self) -> Mapping[str, int]:
        return self._ask("totals")

    def environments(self) -> list[Mapping[str, Any]]:
        """Return the `source` and the `pid` of each living execution environment."""
        return list(self._ask("environments")["environments"])

    def issue_token(self, member: str, state: Path = STATE) -> str:
        """Return a bearer token for `member` that the API accepts."""
        from local.issuer import LocalIssuer

        return LocalIssuer(state / "issuer.pem").issue_token(member, issuer=self.issuer, audience=self.audience)

    def manage(self, arguments: Sequence[str]) -> NoReturn:
        """Become Django's command line, with the deployed settings, as the API's function is connected."""
        variables = {**os.environ, **CREDENTIALS, **self.variables} | {
            "DJANGO_SETTINGS_MODULE": "lambda_app.settings.deployed"
        }
        os.execve(sys.executable, [sys.executable, "-m", "lambda_app.manage", *arguments], variables)  # noqa: S606

    def _ask(self, action: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.control}/{action}", data=b"{}", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310 (our own address)
            return dict(json.loads(reply.read()))
