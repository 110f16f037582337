"""Errors in notes on part 3: each printed form is run and fails, the corrected one holds."""
