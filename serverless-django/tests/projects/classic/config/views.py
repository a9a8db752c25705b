from django.http import JsonResponse
from django.shortcuts import render


def page_not_found(request, exception):
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "No such resource."}, status=404)
    return render(request, "404.html", {"path": request.path}, status=404)


def server_error(request):
    # No context processors: the database may be the reason for the error.
    if request.path.endswith(".json"):
        return JsonResponse({"error": "internal"}, status=500)
    return render(None, "500.html", status=500)
