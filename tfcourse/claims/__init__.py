"""What the lecture claims, one check each, and the ledger that runs them."""
