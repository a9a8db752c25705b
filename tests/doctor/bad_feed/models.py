import uuid

from django.db import models


class Member(models.Model):
    handle = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True, db_index=True)  # 15: nearly all have the same value

    class Meta:
        app_label = "bad_feed"

    def __str__(self):
        return self.handle


class Post(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)  # 16: random
    author = models.ForeignKey(Member, models.CASCADE, related_name="posts")
    caption = models.CharField(max_length=200)  # 17: searched, without an index
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        app_label = "bad_feed"
        # 18: one column of this is what the foreign key has already
        indexes = [models.Index(fields=["author", "created_at"], name="post_of_author")]

    def __str__(self):
        return self.caption


class Profile(models.Model):
    """27: two dozen columns, of which a page shows one."""

    member = models.OneToOneField(Member, models.CASCADE)
    for number in range(22):
        locals()[f"field_{number}"] = models.CharField(max_length=20, default="")
    del number

    class Meta:
        app_label = "bad_feed"

    def __str__(self):
        return str(self.member_id)
