"""Where networks come from: names, lines of text, files."""
