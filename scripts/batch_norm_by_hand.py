# %% [markdown]
# # Batch norm by hand
#
# Every value of a small mini-batch: forward, backward, and at inference. NumPy alone; the formulas
# are written out first, then `tfcourse.batch_norm` is asked for the same.

# %%
import numpy as np

from tfcourse import _terminal, batch_norm

_terminal.prepare()

np.set_printoptions(precision=4, suppress=True)

# %% [markdown]
# A mini-batch of m = 4 examples, one a row, with z of two units. Each unit has its own μ and σ²,
# over the examples.

# %%
z = np.array([[1.0, 10.0], [3.0, 20.0], [5.0, 30.0], [7.0, 60.0]])
m, epsilon = len(z), 1e-3

mu = z.sum(axis=0) / m
variance = ((z - mu) ** 2).sum(axis=0) / m
z_norm = (z - mu) / np.sqrt(variance + epsilon)
print(f"z\n{z}")
print(f"μ  = (1/m) Σ z          {mu}")
print(f"σ² = (1/m) Σ (z − μ)²   {variance}")
print(f"z_norm = (z − μ)/√(σ² + ε)\n{z_norm}")
print(f"its mean, its variance  {z_norm.mean(axis=0).round(9) + 0} {z_norm.var(axis=0)}")

# %% [markdown]
# γ and β give it any deviation and mean, and both are learnt.

# %%
gamma, beta = np.array([2.0, 0.5]), np.array([1.0, -1.0])
z_tilde = gamma * z_norm + beta
forward = batch_norm.forward(z, gamma, beta, epsilon=epsilon)
print(f"\nγ, β                    {gamma} {beta}")
print(f"z̃ = γ z_norm + β\n{z_tilde}")
print(f"its deviation, its mean {z_tilde.std(axis=0)} {z_tilde.mean(axis=0)}")
print(f"batch_norm.forward(z, γ, β)\n{forward.z_tilde}")

# %% [markdown]
# Among them are those that undo the normalization.

# %%
gamma_back, beta_back = np.sqrt(variance + epsilon), mu
print(f"\nγ = √(σ² + ε), β = μ    {gamma_back} {beta_back}")
print(f"z̃ = γ z_norm + β = z\n{gamma_back * z_norm + beta_back}")

# %% [markdown]
# Backward: the cost's derivatives by z, γ and β, given those by z̃. A cost that has them is Σ dz̃ z̃,
# and finite differences of it are the check.

# %%
dz_tilde = np.array([[0.1, -0.2], [0.4, 0.3], [-0.5, 0.1], [0.2, 0.6]])
dz, dgamma, dbeta = batch_norm.backward(dz_tilde, forward)


def finite_differences(cost, at, step=1e-5):
    moves = step * np.eye(at.size).reshape(-1, *at.shape)
    slopes = [(cost(at + move) - cost(at - move)) / (2 * step) for move in moves]
    return np.reshape(slopes, at.shape)


def cost(z, gamma, beta):
    return (dz_tilde * batch_norm.forward(z, gamma, beta, epsilon=epsilon).z_tilde).sum()


by_z = finite_differences(lambda moved: cost(moved, gamma, beta), z)
by_gamma = finite_differences(lambda moved: cost(z, moved, beta), gamma)
by_beta = finite_differences(lambda moved: cost(z, gamma, moved), beta)
print(f"\ndβ = Σ dz̃               {dbeta} and by finite differences {by_beta}")
print(f"dγ = Σ dz̃ z_norm        {dgamma} and by finite differences {by_gamma}")
print("dz = γ/√(σ² + ε) (dz̃ − dβ/m − z_norm dγ/m), and by finite differences")
print(np.hstack([dz, by_z]))

# %% [markdown]
# A bias b in z = aW + b goes with the mean: it changes nothing and learns nothing. β does its work.

# %%
b = np.array([100.0, -7.0])
with_bias = batch_norm.forward(z + b, gamma, beta, epsilon=epsilon)
print(f"\nz̃ with b = {b}\n{with_bias.z_tilde}")
print(f"db = Σ dz               {dz.sum(axis=0).round(9) + 0}")

# %% [markdown]
# At inference there may be one example, without statistics of its own. So training keeps averages
# of the mini-batches' μ and σ². They start at 0 and 1, which the correction takes out again. Or the
# whole set's statistics are computed, piece by piece.

# %%
random = np.random.default_rng(0)
running = batch_norm.RunningStatistics(momentum=0.9)
population = batch_norm.PopulationStatistics()
print("\nmini-batches of 64 from a distribution with μ = 5, σ² = 4; momentum 0.9")
print("mini-batches      averages       corrected       whole set")
for count in range(1, 21):
    mini_batch = random.normal(5, 2, (64, 1))
    running = running.update(batch_norm.forward(mini_batch).statistics)
    population = population.update(mini_batch)
    if count in (1, 5, 20):
        averages = running.moving_mean, running.moving_variance, *running.corrected()
        figures = (*averages, population.mean, population.variance())
        print(f"{count:12}", *(f"{figure.item():7.3f}" for figure in figures))

# %%
statistics = population.mean, population.variance()
print(f"\nz = 3 with its own      {batch_norm.forward([3.0]).z_tilde}")
print(f"z = 3 with the set's    {batch_norm.inference([3.0], *statistics)}")

# %% [markdown]
# With statistics that stand still, batch norm is a product and a sum like the dense layer before
# it, and one layer can do the work of both.

# %%
a, kernel, bias = np.array([[1.0, 2.0]]), np.array([[0.5], [1.5]]), np.array([0.25])
folded_kernel, folded_bias = batch_norm.fold_dense(kernel, bias, *statistics, gamma=2, beta=1)
both = batch_norm.inference(a @ kernel + bias, *statistics, gamma=2, beta=1)
print(f"\ndense, then batch norm  {both}")
print(f"folded into one dense   {a @ folded_kernel + folded_bias}")
