# %% [markdown]
# # The lecture's figures, on slides of one's own
#
# `tfcourse figures` draws all of them for a book. For a slide, `tfcourse figures --preset slide
# --theme dark`; or draw one by name, at a size of your own.

# %%
from pathlib import Path

import tfcourse as tfc
from tfcourse import _terminal

_terminal.prepare()

slides = Path("slides")
slides.mkdir(exist_ok=True)

for entry in tfc.figures.find():
    print(f"{entry.part:<15} {entry.name}")

# %% [markdown]
# ## For a slide, dark or light, in English or Chinese
#
# The file's ending decides the format. An SVG stays sharp at any size, and tells a screen reader
# what it shows. Width and height, in inches, and the size of letters, in points, are the preset's
# unless they are given; a size that leaves the words no room is refused.

# %%
tfc.figures.draw("grid_vs_random", slides / "grid_vs_random.svg", preset="slide", theme="dark")
tfc.figures.draw("grid_vs_random", slides / "grid_vs_random.png", preset="slide", transparent=True)
tfc.figures.draw("beta_scale", slides / "narrow.pdf", width=5, height=4)

# %% [markdown]
# ## Another seed, other values
#
# Whatever is random in a figure follows from the seed: the same one draws the same file. A figure
# is a function that takes what one may want to change and returns matplotlib's figure; a notebook
# shows it.

# %%
tfc.figures.draw("random_cube", slides / "random_cube.svg", seed=7)
slide = tfc.figures.softmax_layer(z=(1, 2, 3), style=tfc.figures.Style("slide", theme="dark"))
slide.savefig(slides / "softmax.png")

# %% [markdown]
# The experiments behind the figures return plain arrays, for drawings that look quite different.

# %%
from tfcourse.lecture import scales

draws = scales.draws(scales.ALPHA)
shares = draws.shares(draws.log)
print("drawn logarithmically, each decade of α gets", ", ".join(f"{s:.0%}" for s in shares))
print("drawn:", *sorted(path.name for path in slides.iterdir()))
