"""Writes ONNX files whose weights are stored as float16 and computed in float32."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firstsight.errors import MissingDependencyError

try:
    import onnx
    from onnx import helper, numpy_helper
except ImportError as error:
    raise MissingDependencyError("writing ONNX files", extra="train") from error

OPSET = 18
IR_VERSION = 9
_MIN_HALF_SIZE = 64  # smaller tensors gain nothing from float16


class Graph:
    """An ONNX graph under construction; every method returns the name of the value that it adds."""

    def __init__(self, name: str) -> None:
        """Begin an empty graph."""
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[bytes, str] = {}
        self._n_values = 0

    @staticmethod
    def dtype(dtype: npt.DTypeLike) -> int:
        """Return ONNX's number of a NumPy dtype."""
        return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def input(self, name: str, dtype: npt.DTypeLike, shape: Sequence[int | str]) -> str:
        """Declare an input; strings in ``shape`` are free sizes."""
        self._inputs.append(helper.make_tensor_value_info(name, self.dtype(dtype), shape))
        return name

    def output(self, name: str, value: str, dtype: npt.DTypeLike, shape: Sequence[int | str]) -> None:
        """Declare ``value`` as the output ``name``."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, self.dtype(dtype), shape))

    def constant(self, array: npt.NDArray[Any] | np.generic) -> str:
        """Add a constant at full precision, stored once however often it is asked for."""
        array = np.asarray(array)
        key = array.dtype.str.encode() + repr(array.shape).encode() + array.tobytes()
        if key not in self._constants:
            self._constants[key] = self._add(array)
        return self._constants[key]

    def weight(self, array: npt.NDArray[np.float32]) -> str:
        """Add a weight, stored as float16 where that saves space."""
        if array.size < _MIN_HALF_SIZE:
            return self._add(array.astype(np.float32))
        return self.node("Cast", self._add(array.astype(np.float16)), to=self.dtype(np.float32))

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        return self.nodes(operator, 1, *inputs, **attributes)[0]

    def nodes(self, operator: str, n_outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with ``n_outputs`` outputs."""
        outputs = [self._next() for _ in range(n_outputs)]
        self._nodes.append(helper.make_node(operator, list(inputs), outputs, **attributes))
        return outputs

    def _add(self, array: npt.NDArray[Any]) -> str:
        name = self._next()
        self._initializers.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def _next(self) -> str:
        self._n_values += 1
        return f"v{self._n_values}"

    def model(self) -> onnx.ModelProto:
        """Return the finished, checked model."""
        graph = helper.make_graph(self._nodes, self._name, self._inputs, self._outputs, self._initializers)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="firstsight", ir_version=IR_VERSION
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def save_model(graph: Graph, path: Path) -> None:
    """Write ``graph`` to ``path`` (replaced in one step)."""
    temporary = path.with_name(path.name + ".part")
    onnx.save(graph.model(), str(temporary))
    temporary.replace(path)
