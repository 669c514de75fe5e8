"""Pass many arrays to compiled code as one pointer.

Numba hands a NamedTuple of arrays to a function by value, some seven machine words an array: with fifty arrays that is
three hundred words a call, and the event loop took three minutes to compile. A `Frame` is the same NamedTuple laid out
as a table of addresses and lengths; compiled code reads ``s.accounts`` from it as if it were the tuple. Without
compilation `frame` returns the tuple itself.

Only C-contiguous arrays and whole numbers may be members. The frame keeps the arrays alive; compiled code must not
outlive it.
"""

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import typeof
from numba.core import cgutils, types
from numba.core.imputils import lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate
from numba.extending import NativeValue, infer_getattr, models, register_model, typeof_impl, unbox
from numba.np import arrayobj

from subsim._jit import COMPILED

_WORDS = 4  # words of a member in the table: address (or value), and up to three lengths


class FrameType(types.Type):
    """Numba's type of a frame: the names and types of its members."""

    def __init__(self, members: tuple[tuple[str, Any], ...]) -> None:
        self.members = members
        listing = ",".join(f"{name}:{kind}" for name, kind in members)
        super().__init__(name=f"Frame({listing})")

    def index(self, name: str) -> int:
        """Place of a member."""
        return [member for member, _ in self.members].index(name)


register_model(FrameType)(models.OpaqueModel)


class Frame:
    """A NamedTuple of arrays and whole numbers, ready for compiled code."""

    def __init__(self, members: Any) -> None:
        self.members = members
        self.table = np.zeros(len(members) * _WORDS, np.int64)
        kinds = []
        for i, (name, value) in enumerate(members._asdict().items()):
            row = self.table[i * _WORDS : (i + 1) * _WORDS]
            if isinstance(value, np.ndarray):
                if not value.flags.c_contiguous or value.ndim > _WORDS - 1:
                    raise ValueError(f"{name}: a member must be C-contiguous with at most {_WORDS - 1} dimensions")
                row[0] = value.ctypes.data
                row[1 : 1 + value.ndim] = value.shape
                kinds.append((name, typeof(value).copy(readonly=False)))
            else:
                row[0] = operator.index(value)
                kinds.append((name, types.int64))
        self.type = FrameType(tuple(kinds))
        self.address = self.table.ctypes.data


def frame(members: Any) -> Any:
    """The tuple as compiled code takes it: a `Frame`, or the tuple itself when nothing is compiled."""
    return Frame(members) if COMPILED else members


@typeof_impl.register(Frame)  # type: ignore[untyped-decorator]
def _typeof(value: Frame, _context: Any) -> FrameType:
    return value.type


@unbox(FrameType)  # type: ignore[untyped-decorator]
def _unbox(_typ: Any, value: Any, c: Any) -> NativeValue:
    attribute = c.pyapi.object_getattr_string(value, "address")
    address = c.pyapi.long_as_longlong(attribute)
    c.pyapi.decref(attribute)
    return NativeValue(
        c.builder.inttoptr(address, cgutils.voidptr_t), is_error=cgutils.is_not_null(c.builder, c.pyapi.err_occurred())
    )


@infer_getattr
class _Members(AttributeTemplate):  # type: ignore[misc]
    key = FrameType

    def generic_resolve(self, typ: FrameType, name: str) -> Any:
        return dict(typ.members).get(name)


@lower_getattr_generic(FrameType)  # type: ignore[untyped-decorator]
def _read(context: Any, builder: Any, typ: FrameType, value: Any, name: str) -> Any:
    kind = dict(typ.members)[name]
    word = ir.IntType(64)
    table = builder.bitcast(value, word.as_pointer())
    first = typ.index(name) * _WORDS

    def load(offset: int) -> Any:
        value = builder.load(builder.gep(table, [ir.Constant(word, first + offset)]))
        # The table never changes: without this, every store into an array makes the compiler read addresses again.
        value.set_metadata("invariant.load", builder.module.add_metadata([]))
        return value

    if not isinstance(kind, types.Array):
        return load(0)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    lengths = [load(1 + d) for d in range(kind.ndim)]
    strides: list[Any] = [ir.Constant(word, size)]
    for length in reversed(lengths[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = arrayobj.make_array(kind)(context, builder)
    data = builder.inttoptr(load(0), context.get_data_type(kind.dtype).as_pointer())
    arrayobj.populate_array(array, data, lengths, strides, ir.Constant(word, size), meminfo=None)
    return array._getvalue()
