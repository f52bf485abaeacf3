"""Property tests: the same examples in every run, so that a run can be repeated; other ones, drawn anew each time, by
`pytest --hypothesis-profile=default`."""

from hypothesis import settings

# How long an example takes says nothing on a machine that is busy.
settings.register_profile("services", deadline=None, derandomize=True, database=None)
settings.load_profile("services")
