"""The mathematics of the pictures against the package's NumPy, on a few hundred cases."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import tfcourse as tfc
from tfcourse import batch_norm, softmax
from tfcourse.tuning import search

pytestmark = pytest.mark.site
MATHS = Path(__file__).parents[2] / "docs" / "_static" / "pictures" / "maths.js"
ASK = """
const maths = require(process.argv[1]);
const calls = JSON.parse(require("fs").readFileSync(0, "utf8"));
const text = (key, value) =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
console.log(JSON.stringify(calls.map(([name, ...given]) => maths[name](...given)), text));
"""


def ask(calls):
    """What the functions of maths.js return, by one run of node."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not installed")
    done = subprocess.run(
        [node, "-e", ASK, MATHS], input=json.dumps(calls), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_descent_is_the_packages_in_both_precisions(rng):
    from tfcourse import quadratic

    cases = [(1.0, -10.0, 25.0, 0.01), (1.0, -20.0, 100.0, 0.01)]
    cases += [(a, b, c, r / a) for a, b, c, r in zip(
        rng.uniform(0.5, 3, 8).round(1), rng.uniform(-20, 20, 8).round(1),
        rng.uniform(-10, 100, 8).round(), rng.uniform(0.01, 0.9, 8).round(3), strict=True
    )]  # fmt: skip
    for dtype in ("float32", "float64"):
        found = ask([["descent", a, b, 0, r, 100, dtype == "float32"] for a, b, c, r in cases])
        for (a, b, c, r), path in zip(cases, found, strict=True):
            run = quadratic.minimize((a, b, c), learning_rate=r, steps=100, dtype=dtype)
            # The learning rate is a float32 variable in Keras, whatever the dtype of w.
            assert path == pytest.approx(run.w, rel=2e-6, abs=2e-6)
    stops = ask([["descent", 1, -10, 0, 0.01, 1000, True]])[0]
    assert f"{stops[-1]:.5f}" == "4.99999" and stops[-1] == stops[-2]


def test_bowls_have_the_eigenvalues_and_paths_that_numpy_says(rng):
    spreads, rhos = 10 ** rng.uniform(0, 1.3, 100), rng.uniform(-0.95, 0.95, 100)
    bowls = ask([["bowl", s, 1, rho] for s, rho in zip(spreads, rhos, strict=True)])
    found = ask([["eigenvalues", bowl] for bowl in bowls])
    for s, rho, bowl, values in zip(spreads, rhos, bowls, found, strict=True):
        covariance = np.array([[s**2, rho * s], [rho * s, 1]])
        assert np.array(bowl) == pytest.approx(covariance)
        assert values == pytest.approx(np.linalg.eigvalsh(covariance), rel=1e-9)
    [path], [cost] = (
        ask([["bowlDescent", bowls[0], [-3, 2], [1.5, -1], 0.1, 30]]),
        ask([["bowlCost", bowls[0], [-3, 2], [1.5, -1]]]),
    )
    H, w, goal = np.array(bowls[0]), np.array([-3.0, 2.0]), np.array([1.5, -1])
    assert cost == pytest.approx((w - goal) @ H @ (w - goal) / 2)
    for point in path:
        assert point == pytest.approx(w)
        w = w - 0.1 * H @ (w - goal)


def test_scales_are_the_tuners(rng):
    scales = {"linear": tfc.Linear(1e-4, 1), "log": tfc.Log(1e-4, 1)}
    scales["1-log"] = tfc.OneMinusLog(0.9, 0.999)
    source = f"{ASK}".replace("maths[name](...given)", "maths.scales[name](...given)")
    units = rng.uniform(0.001, 0.999, 100).tolist()
    calls = [[name, u, s.low, s.high] for name, s in scales.items() for u in units]
    done = subprocess.run(
        [shutil.which("node") or pytest.skip("node is not installed"), "-e", source, MATHS],
        input=json.dumps(calls), capture_output=True, text=True, check=True,
    )  # fmt: skip
    expected = [scales[name].from_unit(u) for name, u, _, _ in calls]
    assert json.loads(done.stdout) == pytest.approx(expected, rel=1e-12)


def test_shares_by_decade_are_numpys_histogram(rng):
    values = (10 ** rng.uniform(-4, 0, 500)).tolist()
    [shares] = ask([["decades", values, -4, 0]])
    counts = np.histogram(np.log10(values), np.arange(-4, 1))[0]
    assert shares == pytest.approx(counts / 500)


def test_softmax_loss_and_gradient_are_the_packages(rng):
    z, labels = rng.normal(0, 5, (200, 4)), rng.integers(0, 4, 200).tolist()
    temperatures = 10 ** rng.uniform(-1, 1, 200)
    given = list(zip(z.tolist(), labels, temperatures, strict=True))
    a = ask([["softmax", row, t] for row, _, t in given])
    loss = ask([["crossEntropy", row, label, t] for row, label, t in given])
    gradient = ask([["gradient", row, label, t] for row, label, t in given])
    scaled = z / temperatures[:, None]
    assert np.array(a) == pytest.approx(softmax.softmax(scaled), abs=1e-14)
    ours = [
        softmax.cross_entropy_with_gradient(row, y) for row, y in zip(scaled, labels, strict=True)
    ]
    assert loss == pytest.approx([float(one.loss) for one in ours], abs=1e-12)
    assert np.array(gradient) == pytest.approx(np.array([one.gradient for one in ours]), abs=1e-14)


def test_batch_norm_is_the_packages(rng):
    cases = []
    for m in rng.integers(2, 200, 100):
        z = rng.normal(rng.uniform(-5, 5), rng.uniform(0.1, 5), m)
        cases.append((z.tolist(), *rng.normal(0, 2, 2)))
    for (z, gamma, beta), found in zip(
        cases, ask([["batchNorm", *case] for case in cases]), strict=True
    ):
        ours = batch_norm.forward(np.array(z)[:, None], gamma, beta)
        assert found["tilde"] == pytest.approx(ours.z_tilde[:, 0], abs=1e-12)
        assert found["norm"] == pytest.approx(ours.z_norm[:, 0], abs=1e-12)
        assert found["mu"] == pytest.approx(ours.mean[0])
        assert found["variance"] == pytest.approx(ours.variance[0])
        assert found["deviation"] == pytest.approx(ours.deviation[0])
    z = rng.normal(0, 10, 100)
    assert ask([["sigmoid", one] for one in z]) == pytest.approx(softmax.sigmoid(z), rel=1e-12)
    [bins] = ask([["histogram", z.tolist(), -12, 12, 24]])
    assert bins == pytest.approx(np.histogram(z, 24, (-12, 12))[0] / 100)


def test_the_grid_has_few_values_and_random_points_are_uniform():
    grid, random = ask([["gridPoints", 5], ["randomPoints", 2000, 1]])
    space = tfc.Space(x=tfc.Linear(0, 1), y=tfc.Linear(0, 1))
    ours = list(search.grid(space, 5))
    assert len({x for x, _ in grid}) == len({one["x"] for one in ours}) == 5
    assert len({x for x, _ in random}) == 2000
    counts = np.histogram2d(*np.array(random).T, bins=5, range=[(0, 1)] * 2)[0]
    assert ((counts - 80) ** 2 / 80).sum() < 45  # χ² of 24 degrees of freedom, 0.6%


def test_replays_are_counted_as_numpy_counts_them():
    n, matters, replays, seed = 4, 0.5, 30, 7
    [wins] = ask([["wins", n, matters, replays, seed]])
    peaks, grid = ask([["randomPoints", replays, seed], ["gridPoints", n]])
    drawn = ask([["randomPoints", n * n, seed + 1 + k] for k in range(replays)])

    def best(points, peak):
        off = (np.array(points) - peak) / 0.12 * [1, matters]
        return np.exp(-(off**2).sum(axis=1) / 2).max()

    ours = sum(best(d, peak) > best(grid, peak) for d, peak in zip(drawn, peaks, strict=True))
    assert wins == ours


def test_normal_numbers_are_normal():
    source = ASK.replace("maths[name](...given)", "Array.from({length: 20000}, maths.normal(name))")
    done = subprocess.run(
        [shutil.which("node") or pytest.skip("node is not installed"), "-e", source, MATHS],
        input="[[1]]", capture_output=True, text=True, check=True,
    )  # fmt: skip
    from scipy.stats import kstest

    assert kstest(json.loads(done.stdout)[0], "norm").pvalue > 1e-3
