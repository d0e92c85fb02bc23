"""Head to head: two models on the same radiographs."""
