"""Automated mutants of the solutions: does every small mistake cost points? `make mutants` says how many do."""
