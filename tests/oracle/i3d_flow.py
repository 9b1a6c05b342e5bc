"""libi3d's flow, called from Python; .flo files; the figures that comparisons are made of."""
import ctypes

import numpy as np


class Options(ctypes.Structure):
    """struct i3d_flow_options of <i3d/flow.h>."""

    _fields_ = [("tau", ctypes.c_double), ("lambda", ctypes.c_double), ("theta", ctypes.c_double),
                ("levels", ctypes.c_int), ("scale", ctypes.c_double), ("bicubic", ctypes.c_bool),
                ("warps", ctypes.c_int),
                ("outer", ctypes.c_int), ("inner", ctypes.c_int), ("epsilon", ctypes.c_double),
                ("look", ctypes.c_int), ("median", ctypes.c_int), ("cubic", ctypes.c_double),
                ("subpixels", ctypes.c_int), ("border", ctypes.c_int), ("smooth", ctypes.c_double),
                ("recheck", ctypes.c_bool), ("stretch", ctypes.c_bool)]


class Library:
    def __init__(self, path):
        self.calls = ctypes.CDLL(path)
        self.calls.i3d_error.restype = ctypes.c_char_p

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.calls.i3d_error().decode())

    def flow(self, width, height, preset, **changes):
        return Flow(self, width, height, preset, changes)


class Flow:
    def __init__(self, library, width, height, preset, changes):
        self.library, self.size = library, (height, width)
        options, self.handle = Options(), ctypes.c_void_p()
        library.check(library.calls.i3d_flow_preset(preset.encode(), ctypes.byref(options)))
        for name, value in changes.items():
            setattr(options, name, value)
        library.check(library.calls.i3d_flow_create(ctypes.byref(options), width, height,
                                                    ctypes.byref(self.handle)))

    def run(self, first, second, out=None):
        """The flow [height, width, 2] between two grey pictures; `out`: memory of it, [2, height,
        width]."""
        pictures = [np.ascontiguousarray(picture, np.uint8) for picture in (first, second)]
        flow = np.empty((2, *self.size), np.float32) if out is None else out
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*pictures, *flow)]
        self.library.check(self.library.calls.i3d_flow_run(self.handle, *pointers))
        return np.moveaxis(flow, 0, 2)

    def __del__(self):
        self.library.calls.i3d_flow_free(self.handle)


def read_flo(path):
    with open(path, "rb") as file:
        data = file.read()
    width, height = np.frombuffer(data, "<i4", 2, 4)
    return np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2)


def to_bytes(flow, bound=20):
    return np.clip(np.rint((flow + bound) * 255 / (2 * bound)), 0, 255)


def end_point_error(flow, truth):
    return float(np.hypot(*np.moveaxis(flow - truth, 2, 0)).mean())


def difference(flow, other):
    """Mean |difference| in pixels; the share of bytes that are at most one level apart."""
    levels = np.abs(to_bytes(flow) - to_bytes(other))
    return float(np.abs(flow - other).mean()), float((levels <= 1).mean())
