"""The space: its notation, its conditions, its combinations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfcourse.tuning import Choice, Integer, Linear, Log, OneMinusLog, Space, When
from tfcourse.tuning.notation import value_text

LECTURE = [
    "learning_rate=log:1e-4:1",
    "momentum=1-log:0.9:0.999",
    "units=int:50:100",
    "layers=choice:2,3,4",
]
CONDITIONAL = [
    "optimizer=choice:adam,momentum",
    "momentum=1-log:0.9:0.999 if optimizer=momentum",
    "layers=int:1:3",
    "units_1=int:50:100",
    "units_2=int:50:100 if layers>=2",
    "units_3=int:50:100 if layers>=3",
]


@pytest.mark.parametrize("entries", [LECTURE, CONDITIONAL, ["b=int-log:1:8", "c=linear:-2:0.5"]])
def test_the_notation_reads_back_as_it_was_printed(entries):
    space = Space.parse(entries)
    assert space.entries() == entries
    assert Space.parse(space.entries()) == space


def test_the_notation_means_what_the_python_names_say():
    assert Space.parse(LECTURE) == Space(
        learning_rate=Log(1e-4, 1),
        momentum=OneMinusLog(0.9, 0.999),
        units=Integer(50, 100),
        layers=Choice(2, 3, 4),
    )
    assert Space.parse(["b=choice:true,none,0.5,relu"])["b"].options == (True, None, 0.5, "relu")


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
words = st.text(st.characters(codec="utf-8"), min_size=1).map(lambda t: "w" + "".join(t.split()))
options = st.one_of(st.booleans(), st.none(), st.integers(), numbers, words).filter(
    lambda option: not (isinstance(option, str) and "," in option)
)


@given(low=numbers, high=numbers)
def test_any_bounds_survive_the_notation(low, high):
    if low < high:
        space = Space(x=Linear(low, high))
        again = Space.parse(space.entries())["x"]
        assert (again.low, again.high) == (low, high)


@given(st.lists(options, min_size=1, unique=True))
def test_any_options_survive_the_notation(values):
    again = Space.parse(Space(x=Choice(*values)).entries())["x"]
    assert again.options == tuple(values)


@given(st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_conditional_hyperparameters_appear_exactly_under_their_condition(point):
    chosen = Space.parse(CONDITIONAL).from_unit(point)
    assert ("momentum" in chosen) == (chosen["optimizer"] == "momentum")
    assert [f"units_{i}" in chosen for i in (1, 2, 3)] == [chosen["layers"] >= i for i in (1, 2, 3)]


def test_a_condition_on_an_absent_hyperparameter_does_not_hold():
    space = Space.parse(["a=choice:x,y", "b=int:1:2 if a=x", "c=int:1:2 if b>=1"])
    assert space.from_unit([0.9, 0, 0]) == {"a": "y"}


def test_combinations_leave_out_what_a_condition_excludes():
    space = Space.parse(["a=choice:x,y", "b=int:1:2 if a=y"])
    assert list(space.combinations({"a": ["x", "y"], "b": [1, 2]})) == [
        {"a": "x"},
        {"a": "y", "b": 1},
        {"a": "y", "b": 2},
    ]


def test_the_space_around_the_best_drops_what_they_never_have():
    space = Space.parse(CONDITIONAL)
    best = [
        {"optimizer": "adam", "layers": 2, "units_1": 60, "units_2": 70},
        {"optimizer": "adam", "layers": 2, "units_1": 64, "units_2": 90},
    ]
    near = space.around(best)
    assert "momentum" not in near and "units_3" not in near
    assert near["optimizer"] == Choice("adam")
    assert near["units_1"] == Integer(55, 69)
    assert near.entries()[-1] == "units_2=int:65:95 if layers>=2"


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], "at least one hyperparameter, got none"),
        (["learning_rate"], "name=scale, got 'learning_rate'"),
        (["=int:1:2"], "name=scale, got '=int:1:2'"),
        (["a b=int:1:2"], "name=scale, got 'a b=int:1:2'"),
        (["a=1-log:0.1:0.9:2"], "a must be KIND:LOW:HIGH"),
        (["a=int:1:2", "a=int:1:3"], "given once, got a twice"),
        (["a=logg:1:2"], r"a must be KIND:LOW:HIGH .* got 'logg:1:2'"),
        (["a=log:1"], "got 'log:1'"),
        (["a=log:1:0.1"], "a=log:1:0.1: Log must have low below high"),
        (["a=choice:"], "at least one option"),
        (["a=int:1:2 if b=3"], "before it, got 'b'"),
        (["layers=int:1:2", "a=int:1:2 if layer=3"], "did you mean 'layers'"),
        (["a=choice:x,y", "b=int:1:2 if a=z"], "can never hold: a is choice:x,y"),
        (["a=int:1:3", "b=int:1:2 if a>=4"], "can never hold: a is int:1:3"),
        (["a=int:1:10:4", "b=int:1:2 if a>=10"], "can never hold: a is int:1:10:4"),
        (["a=int:1:3", "b=int:1:2 if a"], "such as optimizer=momentum or layers>=2, got 'a'"),
        (["a=int:1:3", "b=int:1:2 if a>=x"], "got 'a>=x'"),
    ],
)
def test_what_makes_no_space_is_refused_in_one_line(entries, says):
    with pytest.raises(ValueError, match=says) as caught:
        Space.parse(entries)
    assert "\n" not in str(caught.value)


def test_what_is_no_scale_or_no_number_is_refused():
    with pytest.raises(TypeError, match="units must be a scale"):
        Space(units=(50, 100))
    with pytest.raises(TypeError, match=r"a=log:low:1: Log's low must be a finite number"):
        Space.parse(["a=log:low:1"])


def test_when_reads_its_condition():
    entry = When(" layers >= 2 ", Integer(50, 100))
    assert (entry.names, entry.condition) == (("layers",), "layers>=2")
    assert entry.holds({"layers": 2}) and not entry.holds({"layers": 1})
    assert not entry.holds({"layers": "many"}) and not entry.holds({})


def test_several_conditions_must_all_hold():
    entry = When("layers>=2 and optimizer=adam,sgd", Integer(50, 100))
    assert entry.names == ("layers", "optimizer")
    assert entry.holds({"layers": 2, "optimizer": "sgd"})
    assert not entry.holds({"layers": 2, "optimizer": "rmsprop"})
    assert not entry.holds({"layers": 1, "optimizer": "sgd"})


words = st.text(max_size=8)


@given(name=words.filter(bool), options=st.lists(words, min_size=1, unique=True))
def test_any_name_and_any_text_is_written_so_that_it_reads_back(name, options):
    other = "other" + name
    space = Space(
        **{
            name: Choice(*options),
            other: When(f"{value_text(name)}={value_text(options[0])}", Linear(0, 1)),
        }
    )
    assert Space.parse(space.entries()) == space
    assert Space.parse(space.entries())[name].options == tuple(options)


def test_a_word_that_reads_as_a_number_stays_a_word():
    options = ("3", 3, "true", False, "none", None, 0.5, "a,b", "x if y=1")
    assert Space.parse(Space(kind=Choice(*options)).entries())["kind"].options == options
