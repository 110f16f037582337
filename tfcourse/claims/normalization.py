"""Claims of part 2, batch normalization: what follows from its formulas."""
