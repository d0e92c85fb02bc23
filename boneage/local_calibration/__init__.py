"""Local calibration: offset and scale of a site by sex, and its prediction intervals."""
