"""Every message that a student can meet, as text: `python -m tests.golden` renews the files in this folder."""
