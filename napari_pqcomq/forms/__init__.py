"""Forms made by magicgui from dataclasses, and its widgets for the project's own types."""
