"""Error analysis: residuals, calibration, subgroups, coverage, the report."""
