"""Sanity checks of the maps: occlusion and weight randomization."""
