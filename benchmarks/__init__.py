"""What the portal costs, beside what others cost: `make bench` measures it and writes docs/reference/benchmark.md."""
