"""Which requests a port of the laptop takes for those of another site's page."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from serverless_django.local.port_guard import Guarded, foreign_request

OURS = ["localhost", "localhost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "10.0.2.2:8000", "LOCALHOST"]
PORTS = st.sampled_from(["", ":80", ":8000"])


@pytest.mark.parametrize("host", OURS)
@pytest.mark.parametrize("origin", [{}, {"origin": "http://localhost:3000"}, {"origin": "https://127.0.0.1"}])
def test_a_page_of_this_machine_and_a_program_are_answered(host, origin):
    assert foreign_request({"host": host} | origin) is None


@given(domains(), PORTS)
def test_a_name_that_is_pointed_at_this_machine_is_not_answered(name, port):
    assert foreign_request({"host": name + port})[0] == 421


@given(domains(), PORTS, st.sampled_from(["http", "https", "capacitor", "null"]))
def test_a_page_of_another_site_is_not_answered(name, port, scheme):
    assert foreign_request({"host": "localhost", "origin": f"{scheme}://{name}{port}"})[0] == 403


@given(
    st.text(max_size=20), st.sampled_from(["{}.localhost", "127.0.0.1.{}", "{}@localhost@evil", "localhost {}", ".{}"])
)
def test_what_only_looks_like_this_machine_is_not_answered(text, form):
    assert foreign_request({"host": form.format(f"a{text}")}) is not None


def test_a_websocket_is_closed_and_a_repeated_origin_counts():
    sent = []

    async def send(message):
        sent.append(message)

    async def never(*_):
        raise AssertionError("it came in")

    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"origin", b"https://evil.example")]
    for kind in ("websocket", "http"):
        asyncio.run(Guarded(never)({"type": kind, "headers": headers}, never, send))

    assert [message.get("code", message.get("status")) for message in sent] == [1008, 403, None]
