# %% [markdown]
# # Softmax by hand
#
# The lecture's examples with every value on the way: from z to probabilities, the loss, its
# gradient. NumPy alone; the formulas are written out first, then `tfcourse.softmax` is asked for
# the same.

# %%
import numpy as np

from tfcourse import _terminal, softmax

_terminal.prepare()

np.set_printoptions(precision=3, suppress=True)

# %% [markdown]
# Four classes. t = e^z is positive whatever z is; divided by its sum it becomes probabilities.

# %%
z = np.array([5.0, 2.0, -1.0, 3.0])
t = np.exp(z)
a = t / t.sum()
print(f"z                 {z}")
print(f"t = e^z           {t}")
print(f"Σ t               {t.sum():.1f}")
print(f"a = t/Σ t         {a}, Σ a = {a.sum():.3f}")
print(f"softmax(z)        {softmax.softmax(z)}")
print(f"hardmax(z)        {softmax.hardmax(z)}")

# %% [markdown]
# With two classes it is logistic regression on the difference of the two.

# %%
pair = z[:2]
print(f"\nz                 {pair}")
print(f"softmax(z)        {softmax.softmax(pair)}")
print(f"σ(z₁ − z₂)        {softmax.sigmoid(pair[0] - pair[1]):.3f}")

# %% [markdown]
# The loss looks at the probability of the true class alone. Here it is small, so the loss is not.

# %%
y, y_hat = np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.3, 0.2, 0.1, 0.4])
print(f"\ny                 {y}")
print(f"ŷ                 {y_hat}")
print(f"L = −Σ y log ŷ    {-(y * np.log(y_hat)).sum():.3f}")
print(f"cross_entropy     {softmax.cross_entropy(y_hat, y):.3f}")

# %% [markdown]
# The gradient of the loss by z is ŷ − y. Finite differences agree; so does the long way round, the
# gradient −y/ŷ by ŷ through softmax's Jacobian.


# %%
def cost(z):
    return softmax.cross_entropy_from_logits(z, y)


z, step = np.log(y_hat), 1e-5  # the logarithms are logits that have this ŷ
slopes = [(cost(z + move) - cost(z - move)) / (2 * step) for move in step * np.eye(4)]
print(f"\nŷ − y             {y_hat - y}")
print(f"dz                {softmax.cross_entropy_with_gradient(z, y).gradient}")
print(f"by differences    {np.array(slopes)}")
print(f"by the Jacobian   {softmax.softmax_jacobian(z) @ (-y / y_hat)}")

# %% [markdown]
# The cost is the mean of the losses. The lecture has an example in each column, Keras in each row.

# %%
columns = np.array([[5.0, 0.0, 1.0], [2.0, 3.0, 1.0], [-1.0, 0.0, 1.0], [3.0, 0.0, 4.0]])
logits, labels = softmax.from_lecture_orientation(columns, classes=4), np.array([0, 1, 2])
losses = softmax.cross_entropy_from_logits(logits, labels, reduction="none")
print(f"\nZ, (C, m) = {columns.shape}, as (m, C) = {logits.shape}\n{logits}")
print(f"labels            {labels}, one-hot\n{softmax.one_hot(labels, classes=4)}")
print(f"L                 {losses}")
print(f"J = (1/m) Σ L     {losses.mean():.3f}")

# %% [markdown]
# In float32 a probability can round to 0, and its logarithm is lost. From the logits it is not.

# %%
sure, label = np.array([0.0, 120.0], np.float32), 0
print(f"\nz                 {sure}, ŷ = {softmax.softmax(sure)}, label {label}")
print(f"from ŷ            {softmax.cross_entropy(softmax.softmax(sure), label)}")
print(f"from z            {softmax.cross_entropy_from_logits(sure, label)}")

# %% [markdown]
# These formulas train a classifier: three classes of points in the plane, 200 steps.

# %%
random = np.random.default_rng(0)
y = random.integers(0, 3, 300)
x = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])[y] + random.normal(size=(300, 2))
everything = [np.arange(300)] * 200
trained = softmax.train_linear_classifier(
    x, y, np.zeros((2, 3)), np.zeros(3), batches=everything, learning_rate=0.5
)
right = (x @ trained.kernel + trained.bias).argmax(axis=1) == y
print(f"\ncost at the start {trained.costs[0]:.3f} = log 3, and at the end {trained.costs[-1]:.3f}")
print(f"right             {right.mean():.1%}")
