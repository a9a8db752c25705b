"""Names of topology → names of CloudFormation, which has letters and digits only."""


def pascal_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
