"""Parts of forms, tables and plots: lists, rows, foldable lines, pictures, and how keys and wheel act on them."""
