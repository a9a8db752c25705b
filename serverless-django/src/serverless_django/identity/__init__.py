"""Who is calling, where no authorizer of a gateway has asked: a bearer token → its verified claims."""
