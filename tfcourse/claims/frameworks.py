"""Claims of part 4, frameworks."""
