"""What the lecture claims, one check each, and the ledger that runs them.

>>> [entry] = tfc.claims.run(tfc.claims.find(["softmax.example"]))
>>> entry.evidence.verdict
'holds'
"""

from tfcourse.lecture.ledger import Claim, Entry, Evidence, find, run

__all__ = ["Claim", "Entry", "Evidence", "find", "run"]
