"""What a comparison says to people: words, colours, pictures, tables, files."""
