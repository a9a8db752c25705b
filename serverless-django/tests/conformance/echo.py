"""Views that say what Django saw, and views whose responses are hard to carry."""

import base64
import zlib

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.http import StreamingHttpResponse as Stream
from django.shortcuts import redirect
from django.urls import path, re_path, reverse


def echo(request: HttpRequest, **captured: str) -> JsonResponse:
    meta = request.META
    seen = {
        "method": request.method,
        "path": request.path,
        "path_info": request.path_info,
        "script_name": meta.get("SCRIPT_NAME", ""),
        "query": dict(request.GET.lists()),
        "raw_query": meta.get("QUERY_STRING", ""),
        "cookies": dict(request.COOKIES),
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "client": meta.get("REMOTE_ADDR"),
        "scheme": request.scheme,
        "host": request.get_host(),
        "body": base64.b64encode(request.body).decode(),
        "form": dict(request.POST.lists()),
    }
    return JsonResponse(seen)


def three_cookies(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("ok")
    response.set_cookie("a", "1", httponly=True)
    response.set_cookie("b", "two words")
    response.set_cookie("c", "3", path="/x")
    return response


def png(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"\x89PNG\r\n\x1a\n" + bytes(range(256)), content_type="image/png")


def latin_1_text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("café".encode("latin-1"), content_type="text/csv; charset=iso-8859-1")


def utf_8_text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("λ café 🎈", content_type="text/plain; charset=utf-8")


def latin_1_header(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", headers={"X-Name": "José"})


def long_header(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", headers={"X-Long": "a" * 4_000, "X-Other": "b"})


def gzipped(request: HttpRequest) -> HttpResponse:
    return HttpResponse(zlib.compress(b"compressed by the view", wbits=31), headers={"Content-Encoding": "gzip"})


def no_content(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


def not_modified(request: HttpRequest) -> HttpResponse:
    return HttpResponseNotModified()


def untyped(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(b"no type")
    del response["Content-Type"]
    return response


def problem(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b'{"title": "Mine"}', status=409, content_type="application/problem+json")


def teapot(request: HttpRequest) -> HttpResponse:
    return HttpResponse("short and stout", status=418)


def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def streamed(request: HttpRequest) -> Stream:
    return Stream(part for part in (b"one ", b"two ", b"\xff"))


def broken_stream(request: HttpRequest) -> Stream:
    def parts():
        yield b"one "
        raise LookupError("the secret of the house")

    return Stream(parts())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(open(__file__, "rb"))  # noqa: PTH123 - closing it is the response's part


def large_text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a" * 7_000_000, content_type="text/plain")


def large_binary(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"\xff" * 5_000_000, content_type="image/webp")


def fitting_text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a" * 5_900_000, content_type="text/plain")


def megabyte_of_text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a" * 1_040_000, content_type="text/plain")


def megabyte_of_binary(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"\xff" * 800_000, content_type="image/webp")


def long_text(request: HttpRequest) -> HttpResponse:
    return HttpResponse("again and " * 1_000, content_type="text/plain")


def failing(request: HttpRequest) -> HttpResponse:
    raise LookupError("the secret of the house")


def redirected(request: HttpRequest) -> HttpResponse:
    return redirect("/elsewhere?a=1")


def reversed_name(request: HttpRequest) -> HttpResponse:
    return redirect(reverse("admin-only"))


REPLIES = [
    three_cookies,
    png,
    latin_1_text,
    utf_8_text,
    latin_1_header,
    long_header,
    gzipped,
    no_content,
    not_modified,
    untyped,
    problem,
    teapot,
    empty,
    streamed,
    broken_stream,
    file,
    large_text,
    large_binary,
    fitting_text,
    megabyte_of_text,
    megabyte_of_binary,
    long_text,
    failing,
    redirected,
    reversed_name,
]

urlpatterns = [
    *(path(f"reply/{view.__name__}", view) for view in REPLIES),
    # Something that a route of the gateway could guard.
    path("admin/secret", echo, name="admin-only"),
    path("missing", lambda request: HttpResponse(status=404)),
    re_path(r"^echo", echo),
    re_path(r"^reverse", reversed_name),
]
