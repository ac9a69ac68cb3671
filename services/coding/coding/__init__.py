"""Code validation, E/M level, NCCI edits, modifiers and coder review."""
