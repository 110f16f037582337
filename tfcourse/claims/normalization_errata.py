"""Errors in notes on part 2: each printed form is run and fails, the corrected one holds."""
