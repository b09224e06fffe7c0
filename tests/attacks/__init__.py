"""A corpus of hostile and broken submissions, with what each honestly deserves; see README.md."""
