"""Well-formed requests: what Django sees must be what the client sent, whatever gateway stands between."""

import base64
import json

from tests.conformance.cases import ALL, NOT_BALANCED, NOT_SINGLE, Case, cases
from tests.conformance.wire import CLIENT, HOST, WireRequest


def path_cases() -> list[Case]:
    made = []
    for encoded, decoded in {
        "/echo/a": "/echo/a",
        "/echo/": "/echo/",
        "/echo//a": "/echo//a",
        "/echo/../a": "/echo/../a",
        "/echo/space%20value": "/echo/space value",
        "/echo/a+b": "/echo/a+b",
        "/echo/a%2Bb": "/echo/a+b",
        "/echo/100%25": "/echo/100%",
        "/echo/%CE%BB": "/echo/λ",
        "/echo/caf%C3%A9": "/echo/café",
        "/echo/%F0%9F%8E%88": "/echo/🎈",
        "/echo/a%2Fb": "/echo/a/b",
        "/echo/%2561dmin": "/echo/%61dmin",
        "/echo/%252e%252e%252f": "/echo/%2e%2e%2f",
        "/echo/a%2520b": "/echo/a%20b",
        "/echo/a;b=1,2:(~)@!$'*": "/echo/a;b=1,2:(~)@!$'*",
        f"/echo/{'long' * 500}": f"/echo/{'long' * 500}",
    }.items():
        made += cases(f"path {encoded:.40}", WireRequest(path=encoded), saw={"path_info": decoded})
    # An HTTP API cuts its path at a decoded question mark.
    sources = tuple(source for source in NOT_SINGLE if source != "http_api")
    made += cases("path %3F", WireRequest(path="/echo/a%3Fb"), saw={"path_info": "/echo/a?b"}, sources=sources)
    made += cases("path %FF", WireRequest(path="/echo/%FF"))
    for path in ("/%2561dmin/secret", "/admin%252Fsecret"):
        made += cases(f"a route's guard is not walked around: {path}", WireRequest(path=path), status=404)
    return made


def query_cases() -> list[Case]:
    made = []
    for query, seen in {
        "": {},
        "a=1": {"a": ["1"]},
        "b=1&a=2": {"b": ["1"], "a": ["2"]},
        "a=": {"a": [""]},
        "a": {"a": [""]},
        "a=b+c": {"a": ["b c"]},
        "a=b%20c": {"a": ["b c"]},
        "a=b%2Bc": {"a": ["b+c"]},
        "a=b%2520c": {"a": ["b%20c"]},
        "a=%26%3D%23": {"a": ["&=#"]},
        "a=%CE%BB%F0%9F%8E%88": {"a": ["λ🎈"]},
        "%CE%BB=1": {"λ": ["1"]},
        "a%5B%5D=1": {"a[]": ["1"]},
        "a=1,2": {"a": ["1,2"]},
        "a=b=c": {"a": ["b=c"]},
        "next=https%3A%2F%2Fexample.com%2F%3Fa%3D1%26b%3D2": {"next": ["https://example.com/?a=1&b=2"]},
        "a=%FF": {"a": ["\N{REPLACEMENT CHARACTER}"]},
        "a=%00": {"a": ["\0"]},
    }.items():
        made += cases(f"query {query:.40}", WireRequest(query=query), saw={"query": seen})
    for query, seen in {"a=1&a=2": {"a": ["1", "2"]}, "a=1&b=2&a=3": {"a": ["1", "3"], "b": ["2"]}}.items():
        made += cases(f"query {query}", WireRequest(query=query), saw={"query": seen}, sources=NOT_SINGLE)
    return made


def header_cases() -> list[Case]:
    made = []
    for name, headers, seen in [
        ("in any case", [("X-MiXeD", "a")], {"x-mixed": "a"}),
        ("in latin-1", [("X-Name", "José")], {"x-name": "José"}),
        ("with quotes and commas", [("X-Quoted", '"a", "b"')], {"x-quoted": '"a", "b"'}),
        ("that is empty", [("X-Empty", "")], {"x-empty": ""}),
        ("that is long", [("X-Long", "a" * 7_000)], {"x-long": "a" * 7_000}),
        ("of a token", [("Authorization", "Bearer a.b.c")], {"authorization": "Bearer a.b.c"}),
        ("spoofed by underscore", [("X-Real-User", "a"), ("X_Real_User", "root")], {"x-real-user": "a"}),
        ("with an underscore only", [("X_Real_User", "root")], {"x-real-user": None}),
    ]:
        made += cases(f"header {name}", WireRequest(headers=headers), saw={"headers": seen})
    twice = WireRequest(headers=[("X-Twice", "1"), ("X-Twice", "2")])
    made += cases("header sent twice", twice, saw={"headers": {"x-twice": "1,2"}}, sources=("http_api", "function_url"))
    return made


def cookie_cases() -> list[Case]:
    made = []
    for name, value, seen in [
        ("one", "a=1", {"a": "1"}),
        ("two", "a=1; b=2", {"a": "1", "b": "2"}),
        ("with =", "a=b=c==", {"a": "b=c=="}),
        ("quoted", 'a="b c"', {"a": "b c"}),
        ("many", "; ".join(f"c{n}={n}" for n in range(30)), {f"c{n}": str(n) for n in range(30)}),
        ("with a trailing semicolon", "a=1;", {"a": "1"}),
    ]:
        made += cases(f"cookie {name}", WireRequest(headers=[("Cookie", value)]), saw={"cookies": seen})
    two = WireRequest(headers=[("Cookie", "a=1"), ("Cookie", "b=2")])
    return made + cases("cookies in two headers", two, saw={"cookies": {"a": "1", "b": "2"}}, sources=NOT_SINGLE)


def origin_cases() -> list[Case]:
    made = []
    for forged in ("6.6.6.6", "6.6.6.6, 7.7.7.7", "unknown", "127.0.0.1"):
        request = WireRequest(headers=[("X-Forwarded-For", forged)])
        made += cases(f"client behind X-Forwarded-For: {forged}", request, saw={"client": CLIENT})
    request = WireRequest(headers=[("X-Real-IP", "6.6.6.6"), ("Forwarded", "for=6.6.6.6")])
    made += cases("client with other forged headers", request, saw={"client": CLIENT})
    made += cases("host and scheme", WireRequest(), saw={"host": HOST, "scheme": "https"})
    request = WireRequest(headers=[("X-Forwarded-Host", "evil.example")])
    made += cases("X-Forwarded-Host is not believed", request, saw={"host": HOST})
    for host in ("evil.example", "[::1]:8000", "a:b", "api.example.com:1:2", f"{HOST}@evil.example"):
        made += cases(f"host {host}", WireRequest(headers=[("Host", host)]), status=400, lacks=["evil"])
    made += cases("host with a port", WireRequest(headers=[("Host", f"{HOST}:443")]), saw={"host": f"{HOST}:443"})
    return made + cases(
        "X-Forwarded-Port in two hops",
        WireRequest(),
        edit=lambda event: [h.update({"x-forwarded-port": "443, 80"}) for h in [event.get("headers")] if h],
        sources=("http_api", "function_url", "alb_single"),
    )


def body_cases() -> list[Case]:
    made = []
    multipart = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xce\xbb\r\n--x--\r\n'
    for name, content_type, body in [
        ("JSON", "application/json", json.dumps({"a": "λ"}).encode()),
        ("UTF-8", "text/plain; charset=utf-8", "λ 🎈".encode()),
        ("bytes", "application/octet-stream", bytes(range(256))),
        ("of an image", "image/png", b"\x89PNG\r\n\x1a\n\xff"),
        ("with a NUL", "text/plain", b"a\0b"),
        ("of 700 KB", "application/octet-stream", b"\xfe" * 700_000),
        ("of 4 MB", "application/octet-stream", b"\xfe" * 4_000_000),
    ]:
        request = WireRequest(method="POST", headers=[("Content-Type", content_type)], body=body)
        seen = {"body": base64.b64encode(body).decode(), "headers": {"content-type": content_type}}
        # A load balancer takes a megabyte each way.
        sources = ALL if len(body) < 1_000_000 else NOT_BALANCED
        made += cases(f"body {name}", request, saw=seen, sources=sources)
    for name, content_type, body in [
        ("form", "application/x-www-form-urlencoded", b"a=%CE%BB&b=x+y"),
        ("form in parts", "multipart/form-data; boundary=x", multipart + b""),
    ]:
        request = WireRequest(method="POST", headers=[("Content-Type", content_type)], body=body)
        form = {"a": ["λ"], "b": ["x y"]} if "urlencoded" in content_type else {"a": ["λ"]}
        made += cases(f"body {name}", request, saw={"form": form})
    lied = WireRequest(method="POST", headers=[("Content-Type", "text/plain")], body=b"abc")
    made += cases("body of another length than said", lied, edit=_lie_about_length, saw={"body": "YWJj"})
    return made


def method_cases() -> list[Case]:
    made = []
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        made += cases(f"method {method}", WireRequest(method=method), saw={"method": method})
    return made


def _lie_about_length(event):
    for headers in (event.get("headers"), event.get("multiValueHeaders")):
        for name in [name for name in headers or {} if name.lower() == "content-length"]:
            headers[name] = ["999"] if isinstance(headers[name], list) else "999"


CASES = [
    *path_cases(),
    *query_cases(),
    *header_cases(),
    *cookie_cases(),
    *origin_cases(),
    *body_cases(),
    *method_cases(),
]
