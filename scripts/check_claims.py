# %% [markdown]
# # What the lecture says, put to the test
#
# A claim is a statement, the place in the lecture notes where it stands, and a check: a function
# that measures something and returns a verdict with the figures.

# %%
from collections import Counter

from tfcourse import _terminal
from tfcourse.lecture import ledger

_terminal.prepare()

[claim] = ledger.find(["bn.identity"])
print(claim.statement)
print(*claim.sources, sep="; ")
print(claim.experiment)
print(claim.check(0))

# %% [markdown]
# All claims that train nothing: formulas, worked examples, scales, the lecture's TensorFlow
# program. With `if claim.trains` instead, those that many trainings settle: some minutes.

# %%
chosen = [claim for claim in ledger.claims() if not claim.trains]
entries = []
for entry in ledger.run(chosen, seed=0):
    entries.append(entry)
    print(f"{entry.claim.id:<33} {entry.evidence.verdict:<23} {entry.evidence.measured}")

# %% [markdown]
# `erratum` is an error in lecture notes: the printed form fails, the corrected one holds.

# %%
print(*(f"{entry.claim.id}: {entry.claim.statement}" for entry in entries[-3:]), sep="\n")

# %% [markdown]
# Each verdict should be the one that this package records. Another version of TensorFlow, or a
# change to a formula, may change that.

# %%
for verdict, count in Counter(entry.evidence.verdict for entry in entries).items():
    print(f"{count:>3} {verdict}")
print(f"{sum(entry.as_recorded for entry in entries)} of {len(entries)} as recorded")
