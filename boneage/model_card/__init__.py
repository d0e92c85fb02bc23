"""The model card, generated from the artifacts."""
