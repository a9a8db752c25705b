"""The sizes and the shape of the code are held to the goals of `make house`."""

import operator

import pytest

from tests.tools.house import GOALS, circles, documented_functions, feed_mentions, function_lengths, measure

COMPARISONS = {"==": operator.eq, "<=": operator.le, ">=": operator.ge}


@pytest.fixture(scope="module")
def figures():
    return measure()


@pytest.mark.parametrize("key", GOALS)
def test_the_house_meets_its_goals(figures, key):
    comparison, limit = GOALS[key].split()

    assert COMPARISONS[comparison](figures[key], float(limit))


def test_a_circle_of_folders_is_found_once():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [("a", "b", "c")]


def test_a_mention_of_the_example_is_found(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n# of a photo\n")

    assert list(feed_mentions(tmp_path)) == ["a.py:2: # of a photo"]


def test_lines_of_a_function_are_those_of_its_definition():
    assert list(function_lengths("def f():\n    x = 1\n    return x\n")) == [3]


def test_a_function_is_documented_when_each_parameter_is_named():
    source = '''
def send(message: TaskMessage, delay: int):
    """Send it after `delay` seconds."""

def at(date: datetime):
    """Say nothing."""

class Sender(Base):
    def send(self, message: str): ...
'''

    assert list(documented_functions(source)) == [("send", True), ("at", False)]
