# %% [markdown]
# # The lecture's figures, on slides of one's own
#
# `tfcourse figures` draws all of them at the size of a page. For a slide, draw one by name at a
# size of your own: letters keep theirs, so that less width makes larger letters on the screen.

# %%
from pathlib import Path

import matplotlib.pyplot as plt

from tfcourse.figures import drawing, gallery

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
# two stand side by side, in a style of one's own laid over the package's.

# %%
with drawing.style(), plt.rc_context({"font.size": 14, "figure.facecolor": "none"}):
    slide = plt.figure(figsize=(13.33, 5))
    left, right = slide.subfigures(1, 2)
    for part, name in ((left, "learning_rate_scale"), (right, "beta_scale")):
        [entry] = gallery.find([name])
        entry.function(part, 0)
        part.suptitle(entry.title)
    slide.savefig(slides / "scales.png")

# %% [markdown]
# The experiments behind the figures return plain arrays, for drawings that look quite different.

# %%
from tfcourse.experiments import tuning

shares = tuning.learning_rate_draws().log_shares
print("drawn logarithmically, each decade of α gets", ", ".join(f"{s:.0%}" for s in shares))
print("drawn:", *sorted(path.name for path in slides.iterdir()))
