"""Measures Hornbill side by side with its peers; `hornbill bench` starts it."""
