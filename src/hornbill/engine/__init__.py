"""The engine: everything that the rest of Hornbill is built from. Public names are re-exported elsewhere."""
