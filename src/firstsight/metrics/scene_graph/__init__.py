"""Scene graphs of captions: what they say there is, and how much of it a candidate shares with its references."""

from firstsight.metrics.scene_graph.metric import SceneGraph, parse_caption
from firstsight.metrics.scene_graph.parser import SceneGraphTuples, nouns

__all__ = ["SceneGraph", "SceneGraphTuples", "nouns", "parse_caption"]
