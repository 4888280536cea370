"""Pristine photographs to train on: collected, segmented, made into manipulations of known masks."""
