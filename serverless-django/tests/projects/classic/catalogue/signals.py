from django.core.cache import cache
from django.db.models import Avg
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from catalogue.models import Book, Review


@receiver([post_save, post_delete], sender=Review)
def update_rating(sender, instance, **kwargs):
    rating = Review.objects.filter(book=instance.book_id).aggregate(rating=Avg("stars"))["rating"]
    Book.objects.filter(pk=instance.book_id).update(rating=rating)


@receiver([post_save, post_delete], sender=Book)
def forget_statistics(sender, **kwargs):
    cache.delete("statistics")
