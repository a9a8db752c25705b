import csv

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.text import slugify

from catalogue.models import Author, Book, Category


class Command(BaseCommand):
    help = "Create or update books from a CSV file."

    def add_arguments(self, parser):
        parser.add_argument("file", help="CSV with a row for each book")
        parser.add_argument("--dry-run", action="store_true")

    @transaction.atomic
    def handle(self, *args, **options):
        try:
            with open(options["file"], newline="", encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
        except OSError as error:
            raise CommandError(f"cannot read {options['file']}: {error}") from error
        created = sum(self.import_row(row) for row in rows)
        if options["dry_run"]:
            transaction.set_rollback(True)
        self.stdout.write(self.style.SUCCESS(f"{created} created, {len(rows) - created} updated"))

    def import_row(self, row):
        category, _ = Category.objects.get_or_create(
            slug=slugify(row["category"]), defaults={"name": row["category"]}
        )
        fields = {name: row[name] for name in ("title", "price", "stock", "published")}
        fields["category"] = category
        book, created = Book.objects.update_or_create(
            isbn=row["isbn"],
            defaults=fields,
            create_defaults={**fields, "slug": slugify(row["title"])},
        )
        names = row["authors"].split(";")
        book.authors.set([Author.objects.get_or_create(name=name)[0] for name in names])
        return created
