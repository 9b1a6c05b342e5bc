"""`i3d eval --onnx` against `i3d eval` of the same network's checkpoint, and graphs of PyTorch's.

    /usr/bin/python3 tests/oracle/compare_onnx.py build/dev/cli/i3d [WORD]

Random networks on videos made here, rgb, flow and joint: what ONNX Runtime says of each video's
graph must be what the engine says of it from the weights, to the score. Files of `i3d export` with
fixed and open batches, folded norms and both heads; files of PyTorch's exporter, whose names, batch
and output are others; the original's script; and files that must be refused. Prints the largest
difference of each case; exit 1 when one is above its bound, 77 without ONNX Runtime or PyTorch.
With WORD only the cases whose names have it.
"""
import copy
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy

try:
    import torch
except ImportError:
    print("skipped: PyTorch is not installed (Debian: python3-torch)")
    sys.exit(77)
from torch.nn import functional

from i3d_torch import I3D

BOUND, FRAMES, SIZE, CLASSES = 1e-4, 24, 48, 5
program, word = Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else ""
scripts = Path(__file__).resolve().parents[2] / "scripts"
folder = Path(tempfile.mkdtemp())
shape = ["--test-sample-duration", str(FRAMES), "--spatial-size", str(SIZE), "--resize", "54"]
os.environ["OMP_WAIT_POLICY"] = "passive"
warnings.filterwarnings("ignore", module="torch|i3d_torch")
failed = False


def run(*command, code=0, **options):
    """The program's words; of a failure it must be `code` and what it says why."""
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True,
                          text=True, **options)
    assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stderr if code else done.stdout


def i3d(*arguments, code=0):
    return run(program, *arguments, code=code)


def note(what, error, bound=BOUND):
    global failed
    failed |= not error <= bound
    print(f"{what}: {error:.1e}{'' if error <= bound else f', more than {bound}'}", flush=True)


def make_data():
    """40 videos a stream, of them 10 for validation: no multiple of 8."""
    i3d("synth", "videos", "--classes", CLASSES, "--videos-per-class", 8, "--frames", 20,
        "--size", 60)
    i3d("prepare", "synth", "videos", "data", "--split", "videos/split.csv", "--size", 60,
        "--preset", "turbo")


def places(*streams):
    """The options that say where the videos of one stream or of both are."""
    joint = ["--video-path-joint-flow", "data/flow/synth/jpg"] if len(streams) == 2 else []
    return ["--video-path", f"data/{streams[0]}/synth/jpg", *joint, "--annotation-path",
            f"data/{streams[0]}/synth/annotation/synth_1.json"]


def make_network(stream, head, seed):
    """A random network that says each class of some videos: the bias takes the logits' mean away."""
    channels = 3 if stream == "rgb" else 2
    epsilon = 1e-5 if head == "max" else 1e-3
    net = I3D(channels, CLASSES, head=head, eps=epsilon)
    random = numpy.random.default_rng(seed)
    weights = {}
    for name, tensor in net.tensors().items():
        size = tuple(tensor.shape)
        if name.endswith(("gamma", "variance")):
            value = random.uniform(.5, 1.5, size)
        elif len(size) == 5:
            value = random.normal(0, numpy.sqrt(2 / numpy.prod(size[1:])), size)
        else:
            value = random.uniform(-.3, .3, size)
        weights[name] = value.astype("f4")
    path, about = folder / f"{stream}{head}.npz", ["--head", head, "--bn-epsilon", epsilon]
    numpy.savez(path, **weights)
    table, _ = scores(stream, f"--{stream}", path, *places(stream), *about, *shape)
    labels = json.loads((folder / places(stream)[-1]).read_text())["labels"]
    for c, label in enumerate(labels):
        weights["logits_conv3d.bias"][c] -= numpy.mean([row[3][label] for row in table.values()])
    numpy.savez(path, **weights)
    wanted, _ = scores(stream, f"--{stream}", path, *places(stream), *about, *shape)
    said = {guess for _, _, guess, _ in wanted.values()}
    assert len(said) > 1
    print(f"{stream}, {head}: {len(said)} classes said", flush=True)
    return net.load(weights).eval(), path, about, wanted


def scores(name, *arguments):
    """{video: (truth, clips, {class: score})} of one evaluation."""
    shutil.rmtree(folder / "result", ignore_errors=True)
    said = json.loads(i3d("eval", *arguments, "--save-dir", "result", "--json"))
    with open(folder / "result" / name / "videos.csv") as file:
        rows = list(csv.DictReader(file))
    table = {}
    for row in rows:
        given = {row[f"guess{g}"]: float(row[f"score{g}"]) for g in range(1, 6)}
        table[row["video"]] = (row["truth"], row["clips"], row["guess1"], given)
    assert len(table) == len(rows) == said[f"{name}_videos"] == 10, said
    return table, said


def difference(got, wanted):
    """The largest of the scores; infinite if a video, its clips or the class said are others."""
    if got.keys() != wanted.keys() or any(got[v][:3] != wanted[v][:3] for v in got):
        return numpy.inf
    return max(abs(score - wanted[v][3].get(label, numpy.inf))
               for v in got for label, score in got[v][3].items())


def compare_exports(stream, head, path, about, wanted):
    """Each way of exporting; the order of colours and the resize are noted in the file."""
    cases = {"batch 8": ["--batch-size", 8], "batch 5": ["--batch-size", 5], "any batch": [],
             "folded": ["--fold-bn"], "folded, batch 8": ["--fold-bn", "--batch-size", 8],
             "any duration": ["--any-duration"]}
    if (stream, head) not in (("rgb", "avg"), ("flow", "max")):
        cases = {"folded, batch 8": cases["folded, batch 8"]}
    for case, options in cases.items():
        what = f"{stream}, {head}, {case}"
        if word not in what:
            continue
        name = f"{stream}-{head}-{case.replace(' ', '').replace(',', '-')}.onnx"
        i3d("export", path, name, *about, *shape, *options)
        got, _ = scores(stream, "--onnx", f"--{stream}", name, *places(stream))
        note(what, difference(got, wanted))


def compare_joint(nets, wanted):
    files = []
    for stream in "rgb", "flow":
        _, path, about = nets[stream, "avg"]
        i3d("export", path, f"joint-{stream}.onnx", *about, *shape, "--batch-size", 8)
        files += [f"--{stream}", f"joint-{stream}.onnx"]
    got, said = scores("joint", "--onnx", "--mode", "joint", *files, *places("rgb", "flow"))
    note("joint", difference(got, wanted))
    assert {"rgb_accuracy", "flow_accuracy", "joint_accuracy"} <= said.keys()


class Foreign(torch.nn.Module):
    """The same network with pools of fixed sizes, which PyTorch's exporter needs, and if `time`
    with the logits as they are before their mean over time, [N, classes, T']."""

    def __init__(self, net, time):
        super().__init__()
        self.body, self.logits, self.time = copy.copy(net), net.logits, time
        self.body._modules = {**net._modules, "logits": None}
        self.pool, size = net.head, (FRAMES // 8, -(-SIZE // 32), -(-SIZE // 32))
        self.kernel = size if self.pool == "max" else (2, *size[1:])

    def forward(self, x):
        x = self.body(x)
        if self.pool == "max":
            x = functional.max_pool3d(x, self.kernel)
        else:
            x = functional.avg_pool3d(x, self.kernel, stride=1)
        x = self.logits(x).squeeze(4).squeeze(3)
        return x if self.time else x.mean(2)


def torch_export(net, name, channels, batch, time, **options):
    data = torch.zeros(batch, channels, FRAMES, SIZE, SIZE)
    torch.onnx.export(Foreign(net, time), data, str(folder / name), opset_version=11, **options)


def compare_torch(stream, head, net, wanted):
    """PyTorch's exporter folds norms and calls its values by numbers. Nothing is noted: the clip's
    form comes from the graph and the options."""
    channels = 3 if stream == "rgb" else 2
    steps = 1 if head == "max" else 2
    cases = {f"batch 8, [N, classes, {steps}]": (8, True, {}),
             "batch 5, [N, classes]": (5, False, {}),
             "open batch and classes": (2, True, {
                 "input_names": ["in"], "output_names": ["out"],
                 "dynamic_axes": {"in": {0: "n"}, "out": {0: "n", 1: "c"}}})}
    for case, (batch, time, options) in cases.items():
        what = f"{stream}, {head}, PyTorch's graph, {case}"
        if word not in what:
            continue
        torch_export(net, "torch.onnx", channels, batch, time, **options)
        arguments = [f"--{stream}", "torch.onnx", *places(stream), "--resize", 54]
        got, _ = scores(stream, "--onnx", *arguments)
        note(what, difference(got, wanted))
        if batch != 8:
            continue
        # Weights of other names make it a graph without --onnx too.
        got, _ = scores(stream, *arguments)
        note(f"{what}, known by its weights", difference(got, wanted))


def compare_edge(net, wanted):
    """The edge pipeline over a foreign graph ends with the same accuracy and runs each clip once."""
    torch_export(net, "edge.onnx", 3, 8, True)
    here = ["--mode", "rgb", "--dataset", "synth"]
    i3d("preprocess", *here, "--batch-size", 8, *shape, *places("rgb"))
    i3d("infer", "--model", "edge.onnx", "--engine", "onnxruntime", "--batch-size", 8,
        "preprocess_Result/data/synth/rgb")
    said = json.loads(i3d("postprocess", *here, "--json"))
    right = sum(truth == guess for truth, _, guess, _ in wanted.values())
    note("edge pipeline", abs(said["accuracy"] - right / len(wanted)), 1e-9)


def compare_script(nets):
    """The original's script says what the command says, and leaves it in its log."""
    shutil.copytree(scripts, folder / "scripts")
    (folder / "bin").mkdir()
    (folder / "bin" / "i3d").symlink_to(program)
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    script = folder / "scripts" / "run_eval_onnx.sh"
    for stream in "rgb", "flow":
        _, path, about = nets[stream, "avg"]
        i3d("export", path, f"script-{stream}.onnx", *about, *shape, "--batch-size", 8)
    videos = {s: f"data/{s}/synth/jpg" for s in ("rgb", "flow")}
    notes = {s: f"data/{s}/synth/annotation/synth_1.json" for s in ("rgb", "flow")}
    for s in videos:
        said = run(script, s, "CPU", 0, "synth", videos[s], notes[s], f"script-{s}.onnx",
                   env=environment)
        assert f"{s} accuracy: " in said
        assert said == (folder / f"{s}_onnx_eval.log").read_text()
    said = run(script, "joint", "CPU", 0, "synth", *videos.values(), *notes.values(),
               "script-rgb.onnx", "script-flow.onnx", env=environment)
    assert all(f"{s} accuracy: " in said for s in ("rgb", "flow", "joint"))
    assert said == (folder / "joint_onnx_eval.log").read_text()
    arguments = ["synth", videos["rgb"], notes["rgb"], "script-rgb.onnx"]
    assert "not 'Ascend'" in run(script, "rgb", "Ascend", 0, *arguments, code=2, env=environment)
    assert "usage" in run(script, "joint", "CPU", 0, *arguments, code=2, env=environment)
    print("script: as the command")


def refuse_bad(nets):
    """What is no I3D's graph, or another's, ends with a sentence that says why."""
    class Half(torch.nn.Module):
        def forward(self, x):
            return x.mean((2, 3, 4))

    class Flat(torch.nn.Module):
        def forward(self, x):
            return x.mean()

    class Two(torch.nn.Module):
        def forward(self, x, y):
            return (x + y).mean((2, 3, 4))

    clip = torch.zeros(1, 3, FRAMES, SIZE, SIZE)
    graphs = {"double.onnx": (Half(), clip.double()), "flat.onnx": (Flat(), clip),
              "two.onnx": (Two(), (clip, clip)), "picture.onnx": (Half(), clip),
              "few.onnx": (Half(), clip), "wide.onnx": (Half(), torch.zeros(1, 3, FRAMES, 48, 64))}
    for name, (module, data) in graphs.items():
        torch.onnx.export(module, data, str(folder / name), opset_version=11)
    torch.onnx.export(torch.nn.Flatten(), torch.zeros(1, 3, 48, 48), str(folder / "picture.onnx"))
    _, path, about = nets["flow", "avg"]
    i3d("export", path, "flow.onnx", *about, *shape)
    _, path, about = nets["rgb", "avg"]
    i3d("export", path, "rgb.onnx", *about, *shape)
    whole = (folder / "rgb.onnx").read_bytes()
    (folder / "cut.onnx").write_bytes(whole[:len(whole) // 2])
    (folder / "noise.onnx").write_bytes(numpy.random.default_rng(0).bytes(10000))
    (folder / "empty.onnx").write_bytes(b"")
    cases = [("none.onnx", "none.onnx", []), ("cut.onnx", "ONNX Runtime", []),
             ("noise.onnx", "ONNX Runtime", []), ("empty.onnx", "ONNX Runtime", []),
             ("double.onnx", "float32", []), ("flat.onnx", "[N, classes]", []),
             ("two.onnx", "2 inputs", []), ("picture.onnx", "4 axes", []),
             ("few.onnx", "the network only 3", []), ("wide.onnx", "48 x 64", []),
             ("flow.onnx", "2 input channels", []),
             ("rgb.onnx", "not 32", ["--test-sample-duration", 32]),
             ("rgb.onnx", "not 64", ["--spatial-size", 64]),
             ("rgb.onnx", "leave --head out", ["--head", "max"]),
             ("rgb.onnx", "--engine reference", ["--engine", "reference"]),
             ("rgb.onnx", "--precision", ["--precision", "bf16"])]
    if "CUDA" not in runtime:
        cases.append(("rgb.onnx", "onnxruntime-gpu", ["--engine", "onnxruntime-cuda"]))
    for name, reason, options in cases:
        said = i3d("eval", "--onnx", "--rgb", name, *places("rgb"), *options,
                   code=2 if reason.startswith(("leave", "--engine")) else 1)
        assert reason in said and said.count("\n") == 1, f"{name}: {said}"
        assert options or name in said, f"{name}: {said}"
    said = i3d("eval", "--rgb", "two.onnx", *places("rgb"), code=1)
    assert "'two.onnx'" in said and "as a graph" in said and "2 inputs" in said, said
    print(f"refused: {len(cases) + 1} of {len(cases) + 1}")
    damage(folder / "few.onnx", 40)


def damage(path, count):
    """A file with a few bytes changed is refused, or it runs: the program never crashes."""
    whole, random, codes = path.read_bytes(), numpy.random.default_rng(1), []
    for _ in range(count):
        changed = numpy.frombuffer(whole, "u1").copy()
        where = random.integers(0, len(changed), random.integers(1, 6))
        changed[where] = random.integers(0, 256, len(where))
        (folder / "damaged.onnx").write_bytes(changed.tobytes())
        codes.append(subprocess.run([program, "eval", "--onnx", "--rgb", "damaged.onnx",
                                     *places("rgb")], cwd=folder, capture_output=True).returncode)
    assert set(codes) <= {0, 1}, codes
    print(f"damaged: {count}, refused {codes.count(1)}")


def compare():
    make_data()
    nets, wanted = {}, {}
    for seed, stream in enumerate(("rgb", "flow")):
        for head in "avg", "max":
            net, path, about, wanted[stream, head] = make_network(stream, head, seed)
            nets[stream, head] = net, path, about
            compare_exports(stream, head, path, about, wanted[stream, head])
            compare_torch(stream, head, net, wanted[stream, head])
    both = [path for s in ("rgb", "flow") for path in (f"--{s}", nets[s, "avg"][1])]
    joint, _ = scores("joint", "--mode", "joint", *both, *places("rgb", "flow"), *shape)
    if word in "joint":
        compare_joint(nets, joint)
    if word in "edge":
        compare_edge(nets["rgb", "avg"][0], wanted["rgb", "avg"])
    if word in "script":
        compare_script(nets)
    if word in "refused":
        refuse_bad(nets)


runtime = json.loads(run(program, "doctor", "--json"))["engines"]["onnxruntime"]
if runtime.startswith("cannot"):
    print("skipped:", runtime)
    sys.exit(77)
try:
    print(runtime)
    compare()
finally:
    shutil.rmtree(folder)
sys.exit(failed)
