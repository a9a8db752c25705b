from django.http import JsonResponse
from django.urls import path

from tests.doctor.bad_feed.models import Member, Post, Profile


def authors(request):
    """19: an author for each post; 20: too many statements."""
    return JsonResponse({"authors": [post.author.handle for post in Post.objects.order_by("id")[:12]]})


def sight(request):
    """21: written row by row."""
    for member in list(Member.objects.order_by("id")[:5]):
        member.handle += "+"
        member.save(update_fields=["handle"])
    return JsonResponse({})


def everything(request):
    """22: all posts at once; 23: a whole table."""
    return JsonResponse({"posts": len(list(Post.objects.values_list("caption")))})


def page(request):
    """24: pages by offset."""
    return JsonResponse({"posts": [post.caption for post in Post.objects.order_by("created_at")[40:60]]})


def search(request):
    """17: an index is missing; 25: a pattern that no index answers."""
    exact = Post.objects.filter(caption="caption 7").exists()
    return JsonResponse({"exact": exact, "like": Post.objects.filter(caption__icontains="7").exists()})


def surprise(request):
    """26: sorted at random."""
    return JsonResponse({"posts": [post.caption for post in Post.objects.order_by("?")[:3]]})


def profiles(request):
    """27: whole rows, for one column."""
    return JsonResponse({"profiles": [profile.member_id for profile in Profile.objects.order_by("id")[:20]]})


urlpatterns = [
    path("authors", authors),
    path("sight", sight),
    path("everything", everything),
    path("page", page),
    path("search", search),
    path("surprise", surprise),
    path("profiles", profiles),
]
