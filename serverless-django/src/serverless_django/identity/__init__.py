"""Who is calling: a bearer token → its verified claims → a caller, for plain views, django-ninja and DRF."""
