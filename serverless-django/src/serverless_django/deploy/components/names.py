"""Names of topology → names of CloudFormation, which has letters and digits only."""


def pascal_case(name: str) -> str:
    """Return `name`, such as "dead-letters", as "DeadLetters"."""
    return "".join(part.capitalize() for part in name.split("-"))
