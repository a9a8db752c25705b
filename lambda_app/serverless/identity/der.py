"""Numbers of a JSON Web Key or signature → DER, which is what OpenSSL reads."""

SEQUENCE, INTEGER, BIT_STRING = 0x30, 0x02, 0x03
RSA = bytes.fromhex("06092a864886f70d0101010500")
"""The algorithm rsaEncryption, and NULL."""

P256 = bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107")
"""The algorithm ecPublicKey, and the curve prime256v1."""


def rsa_public_key(modulus: int, exponent: int) -> bytes:
    return _public_key(RSA, _tagged(SEQUENCE, _integer(modulus), _integer(exponent)))


def p256_public_key(x: bytes, y: bytes) -> bytes:
    return _public_key(P256, b"\x04" + x + y)


def ecdsa_signature(r: int, s: int) -> bytes:
    return _tagged(SEQUENCE, _integer(r), _integer(s))


def _public_key(algorithm: bytes, key: bytes) -> bytes:
    return _tagged(SEQUENCE, _tagged(SEQUENCE, algorithm), _tagged(BIT_STRING, b"\x00", key))


def _integer(number: int) -> bytes:
    # With a byte of zero before a first bit of one, which would make it negative.
    return _tagged(INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


def _tagged(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
