"""Releases of a private copy of the project: each says its name, and may bring a migration that works or fails."""

from dataclasses import dataclass, field
from pathlib import Path

MIGRATION = '''"""Added by tests/deploy."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("feed", "{after}")]
    operations = [migrations.RunSQL("{sql}", "")]
'''


@dataclass
class Project:
    folder: Path
    _health: str = field(default="", init=False)

    def release(self, name: str) -> None:
        """Let /readyz, which asks the database, answer with `name`."""
        module = self.folder / "lambda_app" / "serverless" / "http" / "health.py"
        self._health = self._health or module.read_text()
        assert '"ok"' in self._health, f"{module.name} has no status to replace"
        module.write_text(self._health.replace('"ok"', f'"{name}"'))

    def add_migration(self, name: str, sql: str) -> None:
        numbered = f"{int(self._last_migration()[:4]) + 1:04}_{name}"
        text = MIGRATION.format(after=self._last_migration(), sql=sql)
        (self._migrations / f"{numbered}.py").write_text(text)

    def remove_migration(self, name: str) -> None:
        [path] = self._migrations.glob(f"*_{name}.py")
        path.unlink()

    @property
    def _migrations(self) -> Path:
        return self.folder / "lambda_app" / "apps" / "feed" / "migrations"

    def _last_migration(self) -> str:
        return max(path.stem for path in self._migrations.glob("[0-9]*.py"))
