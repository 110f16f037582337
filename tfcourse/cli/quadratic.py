"""`tfcourse quadratic`: minimize J(w) with a Variable and gradient descent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from tfcourse._checks import InputError
from tfcourse.cli.app import PICTURES, Json, app, draw, print_json, room, writable


@app.command(epilog="Example:  tfcourse quadratic --coefficients 1 -20 100 --plot descent.png")
def quadratic(
    coefficients: Annotated[
        tuple[float, float, float],
        typer.Option(metavar="A B C", help="J(w) = A w² + B w + C, fed as data."),
    ] = (1.0, -10.0, 25.0),
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", "--lr", help="α. Try 1.1: the path diverges.")
    ] = 0.01,
    steps: Annotated[int, typer.Option(help="Steps to take.")] = 1000,
    optimizer: Annotated[
        str, typer.Option(help="gradient_descent, momentum, or the name of a Keras optimizer.")
    ] = "gradient_descent",
    v1: Annotated[
        bool, typer.Option("--v1", help="Also run the lecture's TensorFlow 1 program, and compare.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the path of w: .png, .svg or .pdf.")
    ] = None,
    json: Json = False,
) -> None:
    """Minimize (w − 5)², or another parabola, as the lecture does."""
    from tfcourse import quadratic as program

    program.check(coefficients, learning_rate, steps, optimizer)
    plain = optimizer.lower().replace("-", "_")
    known = {"gradient_descent": 0.0, "sgd": 0.0, "momentum": 0.9}.get(plain)  # its β
    if v1 and known != 0:
        raise InputError(f"--v1 runs gradient_descent only, got --optimizer {optimizer}")
    if plot:
        writable(plot, PICTURES)
    room("_tensorflow")
    descent = program.minimize(
        coefficients, learning_rate=learning_rate, steps=steps, optimizer=optimizer
    )
    goal, w, J = program.minimum(coefficients), descent.w, descent.cost
    result = {
        "w": round(float(w[-1]), 5),
        "first_step": round(float(w[min(1, steps)]), 5),
        "coefficients": coefficients,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "steps": steps,
        "traces": descent.traces,
    }
    inside = int(np.isfinite(J).argmin()) or len(J)  # a path that diverges leaves float32's range
    error = abs(w[:inside] - goal)
    why = ""
    if known is None and not (inside == len(J) and error[-1] <= error[0]):
        why = "does not converge: w ended farther from the minimum than it began; try a smaller α"
    elif known is not None:
        text = program.convergence(learning_rate, coefficients, known)
        why = "" if text.startswith("converges") else text
    result["why"] = why or None
    if v1:
        old = program.minimize_v1(coefficients, learning_rate=learning_rate, steps=steps)
        result["v1_difference"] = float(abs(old[:inside] - w[:inside]).max())
    if plot:
        # What can be seen of a path that diverges: until the error is six times the first.
        far = [*np.flatnonzero(error > 6 * error[0]), 30][0] if why else inside
        shown = min(max(far, 3), inside)
        seen = (coefficients, w[:shown], J[:shown])
        draw(plot, f"J(w) = {program.formula(coefficients)}", _draw_path, *seen)
        result["plot"] = plot
    if json:
        print_json({**result, "path": w, "cost": J})
        return
    print(f"J(w) = {program.formula(coefficients)}, minimum at w = {goal:g}")
    print(f"{optimizer}, α = {learning_rate:g}")
    for step in sorted({0, min(1, steps), min(2, steps) if why else 0, inside - 1, steps}):
        print(f"step {step:>{len(str(steps))}}   w = {_number(w[step])}   J = {J[step]:.5g}")
    if why:
        print(why)
    if inside < len(J):
        print(f"from step {inside} on, J is too large for float32")
    if v1:
        beside = f", where w reaches {abs(w[:inside]).max():.2g}" if why else ""
        print(
            f"largest difference from the TensorFlow 1 path: {result['v1_difference']:.2g}{beside}"
        )
    if plot:
        print(f"drawn in {plot}" + (f": the first {shown - 1} steps" if shown < len(w) else ""))


def _number(w: float) -> str:
    """Return w with the five decimals of the lecture, or a short form if that would be long."""
    return f"{w:.5f}" if abs(w) < 1e6 else f"{w:.5g}"


def _draw_path(figure: Any, coefficients: Any, w: Any, cost: Any) -> None:
    """J(w) with the path of w, and w over the steps."""
    from tfcourse.quadratic import formula, minimum

    a, b, c = coefficients
    goal, start, end = minimum(coefficients), w[0], w[-1]
    bowl, path = figure.subplots(1, 2)
    near: dict[str, Any] = {"textcoords": "offset points", "va": "center"}
    reach = 1.15 * max(abs(w - goal).max(), 1e-3)
    grid = np.linspace(goal - reach, goal + reach, 200)
    bowl.plot(grid, a * grid**2 + b * grid + c, color="0.75", lw=1.2)
    bowl.plot(w, cost, "o-", ms=3, lw=0.8)
    bowl.plot(end, cost[-1], "o", color="C1")
    # The start stands inside the parabola, or outside where a path that diverges fills the inside;
    # the end above the bottom, or inside beside a wall.
    side = np.sign(start - goal) if abs(start - goal) < reach / 2 else 1
    if start != end:
        placed = {"xytext": (7 * side, 4), "ha": "left" if side > 0 else "right"}
        bowl.annotate("start", (start, cost[0]), **placed, **near)
    side = 0 if abs(end - goal) < reach / 4 else np.sign(goal - end)
    placed = {
        "xytext": (9 * side, 8 if side else 30),
        "ha": ("right", "center", "left")[int(side) + 1],
    }
    bowl.annotate(_number(end).replace("-", "−"), (end, cost[-1]), color="C1", **placed, **near)
    title = f"$J(w) = {formula(coefficients)}$".replace("²", "^2")
    bowl.set(xlabel="$w$", ylabel="$J$", title=title)
    path.axhline(goal, color="0.75", lw=1.2)
    path.plot(w)
    path.plot(len(w) - 1, end, "o", color="C1", clip_on=False)
    at: Any = {"xycoords": ("axes fraction", "data"), "xytext": (8, 0), "color": "0.4"}
    path.annotate(f"minimum\nat {goal:g}".replace("-", "−"), (1, goal), **at, **near)
    path.set(xlabel="step", ylabel="$w$", title="$w$ over the steps", xlim=(0, len(w) - 1 or 1))
    path.xaxis.get_major_locator().set_params(integer=True)
