"""Training: data, steps, loops. `Trainer` is the part that models inherit."""
