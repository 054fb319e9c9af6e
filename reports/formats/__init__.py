"""What people read outside of a browser: the console, Markdown, LaTeX, figures."""
