"""The system that `make run` started in another terminal, as other commands see it."""

import json
import os
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Self

from serverless_django.local.processes import ProcessError
from serverless_django.secrets import load_secrets, provide_urls

STATE = Path(".local") / "state"
"""Below the root of a project: rows, objects, messages and logs of its system on this machine."""

RECORD = "running.json"
TIMEOUT_SECONDS = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCloud:
    """Written by the launcher while it serves."""

    state: str
    """Folder that it keeps."""

    pid: int
    url: str
    """Of the API."""

    control: str
    control_token: str = field(repr=False)
    console: str
    """Of the page that shows what happens."""

    endpoint: str
    """Of the emulated AWS."""

    credentials: Mapping[str, str] = field(repr=False)
    """Variables with the keys of its root, which are new at each start."""

    outputs: Mapping[str, str]
    """Of both stacks."""

    issuer: str
    audience: str
    variables: Mapping[str, str]
    """Of the API's function, and what this machine adds to them."""

    @classmethod
    def find(cls, state: Path) -> Self:
        """Return the system whose record is in the folder `state`.  Raise ProcessError if nothing is running."""
        if not cls.is_there(state):
            raise ProcessError("the system is not running; start it with `make run` in another terminal")
        return cls(**json.loads((state / RECORD).read_text()))

    def write(self, state: Path = STATE) -> None:
        """Write the record into the folder `state`, for other commands of this user only."""
        draft = state / f"{RECORD}.draft"
        draft.unlink(missing_ok=True)
        with open(draft, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump(asdict(self), file)
        draft.rename(state / RECORD)

    @classmethod
    def is_there(cls, state: Path) -> bool:
        """Return whether the process that wrote the record in the folder `state` lives."""
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

    def issue_token(self, subject: str) -> str:
        """Return a bearer token for `subject` that the API accepts.  Raise ProcessError if it takes no tokens."""
        if not self.issuer:
            raise ProcessError("no route of this API has an authorizer, so there are no tokens")
        from serverless_django.local.issuer import LocalIssuer

        return LocalIssuer(Path(self.state) / "issuer.pem").issue_token(
            subject, issuer=self.issuer, audience=self.audience
        )

    def manage(self, arguments: Sequence[str], *, settings: str) -> NoReturn:
        """Become Django's command line with `arguments` and the module `settings`, connected as the API is."""
        os.environ |= {**self.credentials, **self.variables, "DJANGO_SETTINGS_MODULE": settings}
        load_secrets()
        provide_urls()
        os.execv(sys.executable, [sys.executable, "-m", "django", *arguments])  # noqa: S606

    def _ask(self, action: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.control_token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.control}/{action}", b"{}", headers, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:  # noqa: S310 (our own address)
            return dict(json.loads(reply.read()))
