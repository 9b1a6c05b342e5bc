#!/usr/bin/python3
"""Weights of an I3D between us and the libraries of each format: weights.py I3D VIRTUALENV FORMATS

PyTorch makes a state dict under piergiaj's names; we convert it; MindSpore, safetensors and NumPy
load that; they and TensorFlow (under DeepMind's names) save; we convert it back; PyTorch loads that.
Every value must be the same. Then the files of FORMATS/torch-*, where they are, must read as PyTorch
reads them. The virtualenv is made here with pip if it is not there.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("skipped: python3-torch is not installed")
    sys.exit(77)
import numpy

from i3d_torch import I3D

program, virtualenv, formats = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
PACKAGES = ["numpy", "mindspore", "safetensors", "tensorflow-cpu"]
if not (virtualenv / "complete").exists():
    try:
        subprocess.run([sys.executable, "-m", "venv", virtualenv], check=True)
        subprocess.run([virtualenv / "bin/pip", "install", "--quiet", *PACKAGES], check=True)
    except subprocess.CalledProcessError:
        print("skipped: pip cannot install", *PACKAGES)
        sys.exit(77)
    (virtualenv / "complete").touch()
folder = tempfile.TemporaryDirectory()
here = pathlib.Path(folder.name)
failures = []


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def convert(source, target):
    run(program, "convert", "--strict", here / source, here / target)


def peer(verb, source, target):
    script = pathlib.Path(__file__).with_name("weights_peer.py")
    run(virtualenv / "bin/python", script, verb, here / source, here / target)


def piergiaj(name):
    """Our name -> that of the PyTorch I3D of piergiaj."""
    bn = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
          "moving_variance": "running_var"}
    name = re.sub(r"bn2d\.(\w+)", lambda match: bn[match[1]], name)
    name = re.sub(r"^(Mixed_..)_", r"\1.", name)
    name = re.sub(r"^(Conv3d_\w+?)_bn\.", r"\1.bn.", name)
    name = re.sub(r"^(Conv3d_\w+)\.weight", r"\1.conv3d.weight", name)
    return name.replace("logits_conv3d", "logits.conv3d")


def deepmind(name):
    """The same -> DeepMind's variable."""
    branches = {"_b0": "Branch_0/Conv3d_0a_1x1", "_b1a": "Branch_1/Conv3d_0a_1x1",
                "_b1b": "Branch_1/Conv3d_0b_3x3", "_b2a": "Branch_2/Conv3d_0a_1x1",
                "_b2b": "Branch_2/Conv3d_0b_3x3", "_b3b": "Branch_3/Conv3d_0b_1x1"}
    tail = re.search(r"(weight|bias|beta|moving_\w+)$", name)[1]
    unit = re.match(r"logits|Mixed_..|Conv3d_.._.x.", name)[0]
    branch = re.match(r"Mixed_..(_b\d.?)\.", name)
    path = unit.replace("logits", "Logits/Conv3d_0c_1x1")
    if branch:
        path += "/" + branches[branch[1]]
    path = path.replace("5b/Branch_2/Conv3d_0b_3x3", "5b/Branch_2/Conv3d_0a_3x3")
    kind = {"weight": "/conv_3d/w", "bias": "/conv_3d/b"}.get(tail, "/batch_norm/" + tail)
    return "RGB/inception_i3d/" + path + kind


def compare(what, got, expected):
    wrong = [name for name in set(got) ^ set(expected)]
    wrong += [name for name in set(got) & set(expected)
              if not numpy.array_equal(numpy.asarray(got[name]), expected[name])]
    print(f"{what}: {len(expected)} tensors, {len(wrong)} wrong {wrong[:3]}")
    failures.extend(wrong)


torch.manual_seed(1)
ours = {name: torch.randn_like(value.detach()).numpy() for name, value in
        I3D(3, 7).tensors().items()}
theirs = {piergiaj(name): value for name, value in ours.items()}
state = {name: torch.tensor(value) for name, value in theirs.items()}
torch.save(state, here / "zip.pt")
torch.save(state, here / "legacy.pt", _use_new_zipfile_serialization=False)

for source in ("zip.pt", "legacy.pt"):
    for extension, expected in ((".ckpt", ours), (".safetensors", theirs), (".npz", theirs)):
        convert(source, "ours" + extension)
        peer("load", "ours" + extension, "loaded.npz")
        compare(f"{source} to {extension}, loaded by its library",
                dict(numpy.load(here / "loaded.npz")), expected)

numpy.savez(here / "mindspore.npz", **ours)
numpy.savez(here / "pytorch.npz", **theirs)
flat = {deepmind(name): value.transpose(2, 3, 4, 1, 0) if value.ndim == 5 else value
        for name, value in ours.items() if not name.endswith("gamma")}
numpy.savez(here / "deepmind.npz", **flat)
ones = {name: numpy.ones_like(value) if name.endswith("bn.weight") else value
        for name, value in theirs.items()}
for names, extension, expected in (("mindspore", ".ckpt", theirs), ("pytorch", ".npz", theirs),
                                   ("pytorch", ".safetensors", theirs),
                                   ("deepmind", ".index", ones), ("deepmind", ".tf1", ones)):
    peer("save", names + ".npz", "saved" + extension)
    convert("saved" + extension, "back.pt")
    compare(f"{extension} of its library to .pt, loaded by PyTorch",
            torch.load(here / "back.pt", weights_only=True), expected)


def flatten(value, name=""):
    """Nested dicts and lists of tensors and numbers, by our dotted names."""
    if isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from flatten(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, torch.Tensor):
        value = value.detach()
        yield name or "tensor", (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    else:
        yield name, numpy.array(value)


for path in sorted(formats.glob("torch-*/*")):
    if path.name == "broken.pt":
        refused = subprocess.run([program, "inspect", path], capture_output=True).returncode == 1
        print(f"{path.name}: refused {refused}")
        failures += [] if refused else [path.name]
        continue
    run(program, "convert", path, here / "file.npz")
    compare(path.name, dict(numpy.load(here / "file.npz")),
            dict(flatten(torch.load(path, map_location="cpu"))))
sys.exit(bool(failures))
