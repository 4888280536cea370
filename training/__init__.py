"""Definitions and training of Tamperscope's networks, exported as ONNX for the Swift pipeline."""
