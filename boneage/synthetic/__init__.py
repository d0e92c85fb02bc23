"""Synthetic hands: radiographs of a known bone age that are nobody's."""
