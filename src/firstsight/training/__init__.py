"""The recipe that made the embedded model, for pairs of one's own. Needs the extra ``train`` (torch, onnx)."""
