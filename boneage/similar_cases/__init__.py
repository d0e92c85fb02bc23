"""Similar cases: validation radiographs predicted like the one shown, and their errors."""
