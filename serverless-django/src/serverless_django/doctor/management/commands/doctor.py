"""`manage doctor`: visit, measure, judge, report."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test import Client
from django.test.utils import override_settings

from serverless_django.doctor.database_facts import read_database, sent_statements
from serverless_django.doctor.facts import Facts
from serverless_django.doctor.findings import RULES, Diagnosis, diagnose
from serverless_django.doctor.settings_facts import host, measure_middleware, read_settings
from serverless_django.observability.recordings import Recording, recorded


class Command(BaseCommand):
    help = (
        "Judge a Django project by what makes it fast and safe on Lambda, with evidence.  Exit 1 if anything is wrong."
    )
    # Its own findings are what this is for, and it should run where a check refuses.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--visit", action="append", default=[], metavar="PATH", help="GET this path and judge it")
        parser.add_argument(
            "--meta", action="append", default=[], metavar="NAME=VALUE", help="of request.META; @FILE is its JSON"
        )
        parser.add_argument("--memory-mb", type=int, default=0, help="of the database server, to judge its parameters")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, visit: list[str], meta: list[str], memory_mb: int, **options: Any) -> None:
        values = dict(map(_meta, meta))
        recordings = [self._visit(path, values) for path in visit]
        facts = Facts(
            middleware=measure_middleware(),
            statements=sent_statements(recordings),
            memory_mb=memory_mb,
            **read_settings(),
            **read_database(),
        )
        diagnosis = diagnose(facts)
        (self._write_json if options["json"] else self._write)(facts, diagnosis)
        if diagnosis.findings:
            raise SystemExit(1)

    def _visit(self, path: str, meta: dict[str, Any]) -> Recording:
        # What is over its budget is for this report to say, not for the middleware.
        with override_settings(BUDGET_BREACHES="ignore"), recorded(f"GET {path}") as recording:
            status = Client(SERVER_NAME=host(), **meta).get(path).status_code
        if status >= 400:
            raise CommandError(f"GET {path} answered {status}; visit paths that work, with --meta for what they need")
        return recording

    def _write_json(self, facts: Facts, diagnosis: Diagnosis) -> None:
        held, total = diagnosis.marks
        report = {
            "held": held,
            "rules": total,
            "items": {item: {"held": held, "rules": total} for item, (held, total) in diagnosis.by_item().items()},
            "findings": [asdict(finding) for finding in diagnosis.findings],
            "middleware": [asdict(cost) for cost in facts.middleware],
        }
        self.stdout.write(json.dumps(report, indent=2))

    def _write(self, facts: Facts, diagnosis: Diagnosis) -> None:
        self.stdout.write("middleware, per request:")
        for cost in facts.middleware:
            self.stdout.write(f"  {cost.microseconds:>8,.1f} µs  {cost.queries} queries  {cost.path}")
        for finding in diagnosis.findings:
            self.stdout.write(f"\n{self.style.ERROR(finding.rule)}: {finding.evidence}\n  → {finding.advice}")
        self.stdout.write("")
        for item, (held, total) in diagnosis.by_item().items():
            mark = self.style.SUCCESS if held == total else self.style.ERROR
            self.stdout.write(f"  {item:<40} {mark(f'{held}/{total}')}")
        held, total = diagnosis.marks
        self.stdout.write(f"\n{held} of {len(RULES)} rules hold, with {len(diagnosis.findings)} findings")


def _meta(item: str) -> tuple[str, Any]:
    name, separator, value = item.partition("=")
    if not separator:
        raise CommandError(f"--meta should be NAME=VALUE, got {item!r}")
    return name, json.loads(Path(value[1:]).read_text()) if value.startswith("@") else value
