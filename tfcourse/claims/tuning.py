"""Claims of part 1, tuning."""
