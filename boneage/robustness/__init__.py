"""Robustness to image changes: perturbations, measurement, table, figure."""
