"""Text of a statement → its shape, the same whatever the values, and what to do where a shape is repeated."""

import re
from functools import lru_cache

from serverless_django.observability.sites import Site

_LISTS = re.compile(r"\(\s*%s(?:\s*,\s*%s)*\s*\)(?:\s*,\s*\(\s*%s(?:\s*,\s*%s)*\s*\))*")
_LITERALS = re.compile(r"'(?:[^']|'')*'(?:::\w+)?|\b\d+\b")
_SPACE = re.compile(r"\s+")
_COLUMNS = re.compile(r"(?<=\bSELECT )(?!DISTINCT|EXISTS|COUNT|1\b).{200,}?(?= FROM )", re.IGNORECASE)


@lru_cache(maxsize=512)
def shape_of(sql: str) -> str:
    """Return `sql` without values, without the length of its lists and without long lists of columns."""
    shape = _SPACE.sub(" ", _LISTS.sub("(…)", _LITERALS.sub("%s", sql))).strip()
    return _COLUMNS.sub("…", shape)


def advice_for(shape: str, site: Site | None) -> str:
    """Return what to do about a statement of this `shape` that is repeated at `site`."""
    verb = shape.partition(" ")[0].upper()
    if verb in ("SELECT", "WITH"):
        return f"N+1: {site.advice if site and site.advice else 'read all rows at once, with __in or a join'}"
    way = {
        "INSERT": "insert all rows at once, with bulk_create()",
        "UPDATE": "update all rows at once, with update() or bulk_update()",
        "DELETE": "delete all rows at once, with filter(...).delete()",
    }
    return f"row by row: {way.get(verb, 'send it once')}"
