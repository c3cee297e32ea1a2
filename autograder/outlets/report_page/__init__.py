"""The style of the class report, and the typeface it brings along."""
