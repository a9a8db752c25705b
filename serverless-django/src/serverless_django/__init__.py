"""The reusable part: Django's own extension points, implemented on AWS."""
