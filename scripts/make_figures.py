# %% [markdown]
# # The lecture's figures, on slides of one's own
#
# `tfcourse figures` draws all of them at the size of a page. For a slide, draw one by name at a
# size of your own: letters keep theirs, so that less width makes larger letters on the screen.

# %%
from pathlib import Path

import matplotlib.pyplot as plt

from tfcourse import _terminal
from tfcourse.figures import drawing, gallery

_terminal.prepare()

slides = Path("slides")
slides.mkdir(exist_ok=True)

for entry in gallery.ENTRIES:
    print(f"{entry.part:<15} {entry.name}")

# %% [markdown]
# ## Another size, another format
#
# Width and height are in inches; the file's ending decides the format. An SVG stays sharp at any
# size, and tells a screen reader what it shows.

# %%
gallery.draw("grid_vs_random", slides / "grid_vs_random.svg", width=9, height=5)
gallery.draw("grid_vs_random", slides / "grid_vs_random.png", width=9, height=5)
gallery.draw("beta_scale", slides / "narrow.pdf", width=5, height=4)

# %% [markdown]
# ## Another seed
#
# Whatever is random in a figure follows from the seed: the same one draws the same file.

# %%
gallery.draw("random_cube", slides / "random_cube.svg", seed=7)

# %% [markdown]
# ## Into a drawing of one's own
#
# A figure of the gallery is a function that draws into any matplotlib figure, or part of one. Here
# two share a slide, in larger letters and without a ground: a style laid over the package's.

# %%
clear = {"figure.facecolor": "none", "axes.facecolor": "none"}
with drawing.style(), plt.rc_context({"font.size": 16, "xtick.labelsize": 14} | clear):
    slide = plt.figure(figsize=(13.33, 7.5))
    upper, lower = slide.subfigures(2, 1)
    for part, name in ((upper, "learning_rate_scale"), (lower, "beta_scale")):
        [entry] = gallery.find([name])
        entry.function(part, 0)
    slide.savefig(slides / "scales.png")

# %% [markdown]
# The experiments behind the figures return plain arrays, for drawings that look quite different.

# %%
from tfcourse.experiments import tuning

shares = tuning.learning_rate_draws().log_shares
print("drawn logarithmically, each decade of α gets", ", ".join(f"{s:.0%}" for s in shares))
print("drawn:", *sorted(path.name for path in slides.iterdir()))
