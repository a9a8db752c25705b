from django.http import HttpResponse


def empty_response(status: int) -> HttpResponse:
    response = HttpResponse(status=status)
    # Django names a content type even where there is no content.
    del response["Content-Type"]
    return response
