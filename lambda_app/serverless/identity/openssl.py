"""Public key, text and signature → whether they belong together, as OpenSSL says.

The OpenSSL is the one that psycopg brings for TLS: it is in the bundle and in the process already,
and `cryptography` would be a second one of five megabytes.  Only verification is bound: nothing here
ever holds a secret.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_void_p
from functools import cache
from typing import Any

from psycopg import pq

PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "d2i_PUBKEY": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_sha256": (c_void_p, []),
    "EVP_DigestVerifyInit": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "ERR_clear_error": (None, []),
}


class OpenSSLMissingError(RuntimeError):
    """There is no OpenSSL to ask, so that no token can be verified."""


class UnusableKeyError(ValueError):
    """OpenSSL does not take the key: it is malformed, or its point is on no curve."""


def verify_sha256(public_key: bytes, text: bytes, signature: bytes) -> bool:
    """Return whether `signature` of the SHA-256 of `text` was made with the private half of `public_key`.

    `public_key` is a SubjectPublicKeyInfo in DER: of RSA the signature is PKCS #1 v1.5, of an
    elliptic curve a SEQUENCE of two numbers.  Raise UnusableKeyError.
    """
    with _parsed(public_key) as key, _context() as context:
        library = openssl()
        ready = library.EVP_DigestVerifyInit(context, None, library.EVP_sha256(), None, key)
        # 0 is a wrong signature, and less than 0 one that could not be read: neither may pass.
        return bool(ready == 1 and library.EVP_DigestVerify(context, signature, len(signature), text, len(text)) == 1)


def check_key(public_key: bytes) -> None:
    """Raise UnusableKeyError unless OpenSSL takes `public_key`."""
    with _parsed(public_key):
        pass


@cache
def openssl() -> Any:
    """Return the functions of libcrypto.  Raise OpenSSLMissingError if psycopg is here without its C module."""
    file = getattr(sys.modules[pq.PGconn.__module__], "__file__", "") or ""
    try:
        # What a library is linked with is found through it, whatever the name that a wheel gave to the file.
        library = CDLL(file)
        for name, (result, arguments) in PROTOTYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise OpenSSLMissingError(
            f"psycopg's implementation {pq.__impl__!r} at {file!r} is not linked with OpenSSL; install psycopg[binary]"
        ) from error
    return library


@contextmanager
def _parsed(public_key: bytes) -> Iterator[int]:
    library, start = openssl(), c_char_p(public_key)
    key = library.d2i_PUBKEY(None, byref(start), len(public_key))
    try:
        if not key:
            raise UnusableKeyError(f"OpenSSL takes no such public key of {len(public_key)} bytes")
        yield key
    finally:
        library.EVP_PKEY_free(key)
        # What went wrong is kept for the thread, where psycopg's TLS would find it.
        library.ERR_clear_error()


@contextmanager
def _context() -> Iterator[int]:
    library = openssl()
    context = library.EVP_MD_CTX_new()
    if not context:
        raise MemoryError("OpenSSL has no memory for a verification")
    try:
        yield context
    finally:
        library.EVP_MD_CTX_free(context)
