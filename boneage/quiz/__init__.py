"""The quiz: hands to estimate, scores, charts."""
