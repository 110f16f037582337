"""What can do without TensorFlow, SciPy or matplotlib does not load them."""

import subprocess
import sys

import pytest

LIGHT = [
    "import tfcourse",
    "import tfcourse.batch_norm, tfcourse.softmax",
    "import tfcourse.hyperparameters, tfcourse.quadratic",
    "import tfcourse.datasets; tfcourse.datasets.load('digits')",
    "import tfcourse.tuning.scales, tfcourse.tuning.search, tfcourse.tuning.study",
    "import tfcourse.figures, tfcourse.claims, tfcourse.cli",
    "from tfcourse.lecture import ledger; ledger.claims()",
    "import tfcourse.figures; tfcourse.figures.find()",
]


@pytest.mark.parametrize("statement", LIGHT)
def test_light_rooms_stay_light(statement):
    heavy = ["tensorflow", "keras", "matplotlib", "scipy", "sklearn", "h5py", "PIL"]
    code = f"{statement}; import sys; print(*[m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout == "\n", loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["quadratic", "--learning-rate", "nan"],
        ["train", "--units", "many"],
        ["train", "--data", "no/such/folder"],
        ["nonsense"],
    ],
)
def test_help_and_usage_errors_do_without_tensorflow(arguments):
    code = (
        "import sys, atexit; sys.argv[1:] = sys.argv[1].split();"
        "atexit.register(lambda: print('tensorflow' in sys.modules, file=sys.stderr));"
        "from tfcourse.cli import main; main()"
    )
    command = [sys.executable, "-c", code, " ".join(arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr.endswith("False\n"), done
