"""`python -m tests.benchmarks.http.data`: the tables, and a feed with enough posts for every page."""

import django

POSTS = 400
AUTHORS = 20
WIDTHS = (1080, 640, 320)


def main() -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    _fill()


def _fill() -> None:
    from lambda_app.apps.feed.models import Follow, Member, Photo, Post

    # The subject is that of the sample event.
    ada = Member.objects.create(subject="c688f840-401f-50b9-81f2-df93c9d53045", handle="ada")
    numbers = range(AUTHORS)
    authors = Member.objects.bulk_create([Member(subject=f"author-{n}", handle=f"author-{n}") for n in numbers])
    Follow.objects.bulk_create([Follow(follower=ada, followed=author) for author in authors])
    photos = Photo.objects.bulk_create(
        [
            Photo(
                owner=authors[number % AUTHORS],
                content_type="image/jpeg",
                state=Photo.State.READY,
                width=4032,
                height=3024,
                renditions=[{"name": f"photos/{number}/{w}.webp", "width": w, "height": w * 3 // 4} for w in WIDTHS],
                is_posted=True,
            )
            for number in range(POSTS)
        ]
    )
    Post.objects.bulk_create([Post(author=photo.owner, photo=photo, caption="A caption " * 5) for photo in photos])


if __name__ == "__main__":
    main()
