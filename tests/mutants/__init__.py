"""Small wrong changes to the code, and the tests that must notice each of them.

Each TOML file holds the mutants of one room: where (`file`), what is replaced (`find`, which must stand there exactly
once) by what (`replace`), why it would be wrong (`reason`), and the tests that must fail (`tests`).

`make mutants` applies them one by one to a copy of the tree and fails where one is not noticed.
`python -m tests.mutants --only polling` takes one file, `--sample 12 --seed 7` a few.
"""
