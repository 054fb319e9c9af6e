"""Worker processes: what each of them does (`work`), and how their parent starts, watches and ends them."""
