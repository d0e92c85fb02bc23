"""Predictions over whole archives, in parts that Dask works through and that outlive any crash."""
