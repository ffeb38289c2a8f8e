"""Measures what the app costs against the floor below it; `python3 -m sandbox bench`."""
