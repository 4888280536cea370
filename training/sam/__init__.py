"""A small network with Segment Anything's contract: an encoder of photographs and a decoder of prompts."""
