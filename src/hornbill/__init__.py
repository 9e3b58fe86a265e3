"""Hornbill: Keras, written from scratch on JAX."""
