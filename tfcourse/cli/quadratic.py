"""`tfcourse quadratic`: minimize J(w) with a Variable and gradient descent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfcourse._checks import InputError
from tfcourse.cli.app import PICTURES, Json, about_input, app, print_json, room, writable


@app.command(epilog="Example:  tfcourse quadratic --coefficients 1 -20 100 --plot descent.png")
def quadratic(
    coefficients: Annotated[
        tuple[float, float, float],
        typer.Option(metavar="A B C", help="J(w) = A w² + B w + C, fed as data."),
    ] = (1.0, -10.0, 25.0),
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", "--lr", help="α, above 0.")
    ] = 0.01,
    steps: Annotated[int, typer.Option(help="Steps of the optimizer.")] = 1000,
    optimizer: Annotated[
        str, typer.Option(help="gradient_descent, momentum, or a Keras optimizer's name.")
    ] = "gradient_descent",
    v1: Annotated[
        bool, typer.Option("--v1", help="Run the lecture's TensorFlow 1 program too, and compare.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw J and w's path: .png, .svg or .pdf.")
    ] = None,
    json: Json = False,
) -> None:
    """Minimize (w − 5)², or any J(w) with a minimum, as the lecture does."""
    from tfcourse import quadratic_problem

    with about_input():
        optimizer = quadratic_problem.optimizer_name(optimizer)
        quadratic_problem.check(coefficients, learning_rate, steps, optimizer)
    if v1 and optimizer not in {"gradient_descent", "sgd"}:
        raise InputError(f"--v1 runs gradient_descent only, got --optimizer {optimizer}")
    if plot:
        writable(plot, PICTURES)
    minimize = room("quadratic").minimize
    with about_input():  # whether it converged is known at its end
        descent = minimize(
            coefficients, learning_rate=learning_rate, steps=steps, optimizer=optimizer
        )
    w_last, first = float(descent.w[-1]), float(descent.w[min(1, steps)])
    result = {
        "w": round(w_last, 5),
        "first_step": round(first, 5),
        "coefficients": coefficients,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "steps": steps,
        "traces": descent.traces,
    }
    if v1:
        old = room("quadratic_v1").minimize(coefficients, learning_rate=learning_rate, steps=steps)
        result["v1_difference"] = float(abs(old - descent.w).max())
    if plot:
        from tfcourse.figures import drawing, frameworks

        drawing.draw(plot, frameworks.draw_descent, coefficients, descent.w, descent.cost)
        result["plot"] = plot
    if json:
        print_json({**result, "path": descent.w, "cost": descent.cost})
        return
    goal = quadratic_problem.minimum(coefficients)
    print(f"J(w) = {quadratic_problem.formula(coefficients)}, minimum at w = {goal:g}")
    print(f"{optimizer}, α = {learning_rate:g}")
    for step in sorted({0, min(1, steps), steps}):
        w, J = descent.w[step], descent.cost[step]
        print(f"step {step:>{len(str(steps))}}   w = {w:.5f}   J = {J:.5g}")
    if v1:
        print(f"largest difference from the TensorFlow 1 path: {result['v1_difference']:.2g}")
    if plot:
        print(f"drawn in {plot}")
