"""The example in the docstring of each public name runs, and prints what it says."""

import doctest
import inspect
import sys

import pytest

import tfcourse

PUBLIC = ["tfcourse", *tfcourse.__all__]
TRAINS = {"train", "training", "tune"}


def found(name):
    """The examples of a public name; of a room, those of all that it alone names too."""
    what = tfcourse if name == "tfcourse" else getattr(tfcourse, name)
    things = {name: what}
    if inspect.ismodule(what) and what is not tfcourse:
        inside = {one: getattr(what, one) for one in what.__all__}
        alone = {k: v for k, v in inside.items() if getattr(tfcourse, k, None) is not v}
        things |= {f"{name}.{one}": thing for one, thing in alone.items()}
    for called, thing in things.items():
        module = thing if inspect.ismodule(thing) else sys.modules[thing.__module__]
        finder = doctest.DocTestFinder(recurse=inspect.isclass(thing))
        yield from finder.find(thing, called, module, extraglobs={"tfc": tfcourse})


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.whole if n in TRAINS else ()) for n in PUBLIC]
)
def test_the_examples_of_every_public_name(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    tests = list(found(name))
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    told = []
    for test in tests:
        runner.run(test, out=told.append)
    assert not runner.failures, "".join(told)
    assert any(test.name == name and test.examples for test in tests), f"{name} lacks an example"
