# %% [markdown]
# # Minimize J(w) = w² − 10w + 25
#
# The lecture's first TensorFlow program. J is (w − 5)², so we know where w must end. We write the
# cost; TensorFlow finds the derivative, and an optimizer takes the steps.

# %%
import numpy as np

from tfcourse import _terminal
from tfcourse._tensorflow import keras, tf  # as ever, but without the chatter of loading
from tfcourse.quadratic import minimize

_terminal.prepare()

w = tf.Variable(0, dtype=tf.float32)
optimizer = keras.optimizers.SGD(learning_rate=0.01)


def train_step():
    with tf.GradientTape() as tape:
        cost = w**2 - 10 * w + 25
    optimizer.apply(tape.gradient(cost, [w]), [w])


print(f"before training    w = {w.numpy():.5f}")

# %% [markdown]
# One step of gradient descent: w becomes 0 − 0.01 · dJ/dw, and dJ/dw = 2w − 10 is −10 at 0.

# %%
train_step()
print(f"after one step     w = {w.numpy():.5f}")

# %% [markdown]
# A thousand steps. Not quite 5: in float32 the last steps are too small to move w.

# %%
for _ in range(999):
    train_step()
print(f"after 1000 steps   w = {w.numpy():.5f}")

# %% [markdown]
# ## The coefficients as data
#
# Where TensorFlow 1 had a placeholder and a feed_dict, TensorFlow 2 has the argument of a
# `tf.function`. It is traced into a graph once; new data runs on the same graph.

# %%
w.assign(0)


@tf.function(input_signature=[tf.TensorSpec((3, 1), tf.float32)])
def train_on(x):
    with tf.GradientTape() as tape:
        cost = x[0][0] * w**2 + x[1][0] * w + x[2][0]
    optimizer.apply(tape.gradient(cost, [w]), [w])


for coefficients in ([1.0, -10.0, 25.0], [1.0, -20.0, 100.0]):
    data = np.array(coefficients).reshape((3, 1))
    w.assign(0)
    for step in range(1000):
        train_on(data)
        if step == 0:
            print(f"{coefficients}: after one step {w.numpy():.5f}", end=", ")
    print(f"after 1000 {w.numpy():.5f}")

print(f"graphs traced: {train_on.experimental_get_tracing_count()}")

# %% [markdown]
# ## All steps in one program
#
# `tfcourse.quadratic` has the same, with the loop compiled too, and any Keras optimizer.

# %%
path = minimize([1, -10, 25], steps=1000, optimizer="adam", learning_rate=0.1)
print(f"Adam, α = 0.1      w = {path.w[-1]:.5f}")
