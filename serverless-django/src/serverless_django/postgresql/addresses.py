"""Try each address of a database endpoint within one deadline, those that timed out before as the last."""

import ipaddress
import socket
import time
from collections.abc import Callable
from typing import Any

import psycopg

_silent: list[str] = []
"""Addresses whose connect timed out, the latest last."""


def connect_within[T](params: dict[str, Any], connect: Callable[[dict[str, Any]], T]) -> T:
    """Call `connect` with one address of `params["host"]` after the other, within `params["connect_timeout"]` seconds.

    psycopg gives each address that time.  Raise what the last attempt raised.
    """
    deadline = time.monotonic() + float(params["connect_timeout"])
    *others, last = _addresses(params)
    for address in others:
        try:
            return _attempt(params | address, connect)
        except psycopg.OperationalError:
            if time.monotonic() >= deadline:
                raise
    return _attempt(params | last, connect)


def _attempt[T](params: dict[str, Any], connect: Callable[[dict[str, Any]], T]) -> T:
    try:
        return connect(params)
    except psycopg.errors.ConnectionTimeout:
        if address := params.get("hostaddr"):
            _remember(address)
        raise


def _addresses(params: dict[str, Any]) -> list[dict[str, str]]:
    host, port = params.get("host", ""), params.get("port", 5432)
    if not host or host.startswith("/") or "hostaddr" in params or _is_address(host):
        return [{}]
    try:
        found = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP, type=socket.SOCK_STREAM)
    except OSError:
        return [{}]  # psycopg says which name it was
    addresses = dict.fromkeys(str(item[4][0]) for item in found)
    return [{"hostaddr": address} for address in sorted(addresses, key=_rank)]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _rank(address: str) -> int:
    return _silent.index(address) if address in _silent else -1


def _remember(address: str) -> None:
    if address in _silent:
        _silent.remove(address)
    _silent.append(address)
