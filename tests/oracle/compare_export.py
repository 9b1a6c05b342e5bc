"""Exported files in ONNX Runtime and in MindSpore against the engine here.

    python3 tests/oracle/compare_export.py build/cli/i3d build/tests/oracle/oracle_dump VENV DATA

Random networks on random clips; and an inflated GoogLeNet on a real clip where DATA, the shared
data, is there. AIR is missing here: nothing can load it. Prints the largest difference of the logits of each case; exit 1 when one is above
its bound, 77 when the packages cannot be had. VENV is where they are kept.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from oracle_venv import enter

program, dump, environment, shared = sys.argv[1:]
program = Path(program).resolve()

enter(environment, "mindspore", "onnx", "onnxruntime", "pillow")
os.environ["GLOG_v"] = "3"

import mindspore
import numpy
import onnx
import onnxruntime
from PIL import Image

ONNX_BOUND, MINDIR_BOUND = 1e-4, 1e-3
folder = Path(tempfile.mkdtemp())
mindspore.set_context(mode=mindspore.GRAPH_MODE)
failed = False


class Network:
    """Parameters, and how the engine here runs them."""

    def __init__(self, channels, classes, head, epsilon):
        self.about = [channels, classes, head, epsilon]
        self.classes, self.head, self.epsilon = classes, head, epsilon
        self.call(numpy.zeros((1, channels, 16, 64, 64), "f4"), "describe")
        lines = [line.split() for line in (folder / "params.txt").read_text().splitlines()]
        self.shapes = {name: tuple(map(int, shape)) for name, *shape in lines}

    def draw(self, seed):
        random = numpy.random.default_rng(seed)
        self.params = {}
        for name, shape in self.shapes.items():
            if name.endswith(("gamma", "variance")):
                value = random.uniform(.5, 1.5, shape)
            elif len(shape) == 5:
                value = random.normal(0, numpy.sqrt(2 / numpy.prod(shape[1:])), shape)
            else:
                value = random.uniform(-.3, .3, shape)
            self.params[name] = value.astype("f4")
        return self

    def call(self, data, mode):
        about = map(str, [*self.about, len(data), *data.shape[2:]])
        subprocess.run([dump, folder, "auto", "fp32", *about, mode], check=True)

    def logits(self, data):
        numpy.concatenate([self.params[name].ravel() for name in self.shapes]).tofile(
            folder / "params.f32")
        data.tofile(folder / "data.f32")
        self.call(data, "inference")
        return numpy.fromfile(folder / "logits.f32", "f4").reshape(len(data), self.classes)

    def export(self, extension, frames, size, *options, source=None):
        if not source:
            source = folder / "net.npz"
            numpy.savez(source, **self.params)
        path = folder / f"net.{extension}"
        report = subprocess.run(
            [program, "export", source, path, "--head", self.head, "--bn-epsilon",
             str(self.epsilon), "--test-sample-duration", str(frames), "--spatial-size", str(size),
             *options], check=True, capture_output=True, text=True)
        assert "difference:" in report.stdout
        return path


def run_onnx(path, data):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"data": data})[0]


def run_mindir(path, data):
    return mindspore.nn.GraphCell(mindspore.load(str(path)))(mindspore.Tensor(data)).asnumpy()


def compare(what, got, wanted, bound):
    """Notes how far the logits `got` are from those `wanted`."""
    global failed
    error = abs(got - wanted).max() if got.shape == wanted.shape else numpy.inf
    failed |= not error <= bound
    print(f"{what}: {error:.1e} of {abs(wanted).max():.1f}"
          f"{'' if error <= bound else f', more than {bound}'}", flush=True)


def check_onnx(path, network, folded):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import] == [17]
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert about["i3d.head"] == network.head and about["i3d.crop"] == "centre"
    weights = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    if not folded:
        assert weights.keys() == network.shapes.keys()
    return weights


def random_clips(channels, count, frames, size, seed):
    random = numpy.random.default_rng(seed)
    return random.uniform(-1, 1, (count, channels, frames, size, size)).astype("f4")


def compare_random():
    cases = [(3, 400, "avg", 1e-3, 16, 64), (2, 51, "max", 1e-5, 9, 45)]
    for seed, (channels, classes, head, epsilon, frames, size) in enumerate(cases):
        network = Network(channels, classes, head, epsilon).draw(seed)
        clips = random_clips(channels, 3, frames, size, seed)
        wanted = network.logits(clips)
        for fold in [[], ["--fold-bn"]]:
            what = f"{channels} channels, {head}, {frames} x {size}{' folded' if fold else ''}"
            path = network.export("onnx", frames, size, *fold)
            check_onnx(path, network, fold)
            for count in 1, 2, 3:
                compare(f"onnx {what}, batch {count}", run_onnx(path, clips[:count]),
                        wanted[:count], ONNX_BOUND)
            path = network.export("mindir", frames, size, "--batch-size", "2", *fold)
            compare(f"mindir {what}", run_mindir(path, clips[:2]), wanted[:2], MINDIR_BOUND)
        path = network.export("onnx", 32, size, "--any-duration")
        for frames in 9, 16, 31:
            clips = random_clips(channels, 1, frames, size, frames)
            compare(f"onnx {channels} channels, {head}, any duration, {frames}",
                    run_onnx(path, clips), network.logits(clips), ONNX_BOUND)


def read_clips(root, names, frames, size):
    """The middle of `frames` pictures' channels as [1, C, T, size, size]."""
    clip = []
    for t in range(1, frames + 1):
        pictures = [numpy.asarray(Image.open(root / name.format(t)), "f4") for name in names]
        picture = numpy.dstack(pictures)
        top, left = (picture.shape[0] - size) // 2, (picture.shape[1] - size) // 2
        clip.append(picture[top:top + size, left:left + size])
    return (numpy.stack(clip).transpose(3, 0, 1, 2)[None] / 255 * 2 - 1).astype("f4")


def compare_real(frames=64, size=224):
    data = Path(shared)
    videos = sorted((data / "clips" / "ut_interaction").rglob("*.avi"))[:1]
    googlenet = data / "weights" / "bvlc_googlenet_oihw_f16.npz"
    if not videos or not googlenet.exists():
        print(f"skipped: no real clips and weights in {data}")
        return
    (folder / "videos" / "class").mkdir(parents=True)
    (folder / "videos" / "class" / "clip.avi").symlink_to(videos[0].resolve())
    for command in [["frames", "videos", "rgb", "--size", "256"],
                    ["flow", "rgb", "flow", "--preset", "fast"]]:
        subprocess.run([program, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for channels, root, names in [(3, "rgb", ["image_{:05d}.jpg"]),
                                  (2, "flow", ["image_{:05d}x.jpg", "image_{:05d}y.jpg"])]:
        start = folder / f"{root}.ckpt"
        subprocess.run([program, "inflate", googlenet, start, "--channels", str(channels)],
                       check=True, stdout=subprocess.DEVNULL)
        clip = read_clips(folder / root / "class" / "clip", names, frames, size)
        network = Network(channels, 1000, "avg", 1e-3)
        path = network.export("onnx", frames, size, source=start)
        network.params = check_onnx(path, network, False)
        wanted = network.logits(clip)
        compare(f"onnx real {root}", run_onnx(path, clip), wanted, ONNX_BOUND)
        path = network.export("mindir", frames, size, "--batch-size", "1", source=start)
        compare(f"mindir real {root}", run_mindir(path, clip), wanted, MINDIR_BOUND)


try:
    compare_random()
    compare_real()
finally:
    subprocess.run(["rm", "-rf", folder])
sys.exit(failed)
