"""Photographs: data sets, masks, error levels."""
