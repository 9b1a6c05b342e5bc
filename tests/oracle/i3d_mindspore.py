"""An I3D of MindSpore's own cells under the original's names, as files of MindSpore's own making:

    i3d_mindspore.py FOLDER      weights_graph.py runs it in a virtualenv

FOLDER/params.npz, data.npy and logits.npy say what net.mindir, net.onnx and net.ckpt hold and give;
tuned.ckpt is of a training of Mixed_5 and the logits, with moments; secret.ckpt is encrypted.
"""
import os
import sys

os.environ["GLOG_v"] = "3"
import mindspore
import numpy
from mindspore import Tensor, nn, ops

from i3d_table import TABLE


class Norm(nn.Cell):
    def __init__(self, channels):
        super().__init__()
        self.bn2d = nn.BatchNorm2d(channels, eps=1e-5, momentum=.1)

    def construct(self, x):
        n, c, t, h, w = x.shape
        return self.bn2d(x.reshape((n, c, t * h, w))).reshape((n, c, t, h, w))


class Unit(nn.Cell):
    def __init__(self, inputs, outputs, kernel, stride=(1, 1, 1)):
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride, pad_mode="same",
                                weight_init="normal")
        self.bn, self.relu = Norm(outputs), nn.ReLU()

    def construct(self, x):
        return self.relu(self.bn(self.conv3d(x)))


class Pool(nn.Cell):
    def __init__(self, kernel, stride):
        super().__init__()
        self.pool = ops.MaxPool3D(kernel, stride, "same")

    def construct(self, x):
        return self.pool(x)


class Mixed(nn.Cell):
    def __init__(self, inputs, row):
        super().__init__()
        one, three = (1, 1, 1), (3, 3, 3)
        self.b0 = Unit(inputs, row[0], one)
        self.b1a, self.b1b = Unit(inputs, row[1], one), Unit(row[1], row[2], three)
        self.b2a, self.b2b = Unit(inputs, row[3], one), Unit(row[3], row[4], three)
        self.b3a, self.b3b = Pool(three, one), Unit(inputs, row[5], one)
        self.concat = ops.Concat(1)

    def construct(self, x):
        return self.concat((self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)),
                            self.b3b(self.b3a(x))))


class I3D(nn.Cell):
    def __init__(self, channels, classes, tuned):
        super().__init__()
        cells = []
        for _, row in TABLE:
            if isinstance(row, list):
                cells.append(Mixed(channels, row))
                channels = row[0] + row[2] + row[4] + row[5]
            elif len(row) == 3:
                cells.append(Unit(channels, row[2], row[0], row[1]))
                channels = row[2]
            else:
                cells.append(Pool(*row))
        self.units = nn.SequentialCell(cells)
        self.logits = nn.Conv3d(channels, classes, 1, has_bias=True)
        for parameter in self.get_parameters():
            parameter.name = original_name(parameter.name, tuned)

    def construct(self, data):
        x = self.units(data).max(axis=(2, 3, 4), keepdims=True)
        return self.logits(x).squeeze(4).squeeze(3)


def original_name(name, tuned):
    """units.5.b1a.bn.bn2d.gamma -> Mixed_3b_b1a.bn.bn2d.gamma"""
    first, *rest = name.split(".")
    if first == "logits":
        return ("logits." if tuned else "") + "logits_conv3d." + rest[-1]
    unit = TABLE[int(rest[0])][0]
    if unit.startswith("Mixed"):
        return unit + "_" + ".".join(rest[1:])
    return unit + (".weight" if rest[1] == "conv3d" else "_bn.bn2d." + rest[-1])


def draw(net):
    random = numpy.random.default_rng(1)
    for parameter in net.get_parameters():
        shape = parameter.shape
        if parameter.name.endswith(("gamma", "variance")):
            value = random.uniform(.5, 1.5, shape)
        elif len(shape) == 5:
            value = random.normal(0, numpy.sqrt(2 / numpy.prod(shape[1:])), shape)
        else:
            value = random.uniform(-.3, .3, shape)
        parameter.set_data(Tensor(value.astype("f4")))


def params(net):
    return {parameter.name: parameter.asnumpy() for parameter in net.get_parameters()}


os.chdir(sys.argv[1])
mindspore.set_context(mode=mindspore.GRAPH_MODE)
net = I3D(2, 5, False)
net.set_train(False)
draw(net)
data = numpy.random.default_rng(2).uniform(-1, 1, (2, 2, 16, 64, 64)).astype("f4")
numpy.savez("params.npz", **params(net))
numpy.save("data.npy", data)
numpy.save("logits.npy", net(Tensor(data)).asnumpy()[:, :, 0])
for form in ("MINDIR", "ONNX"):
    mindspore.export(net, Tensor(data), file_name="net", file_format=form)
mindspore.save_checkpoint(net, "net.ckpt", crc_check=True)
mindspore.save_checkpoint(net, "secret.ckpt", enc_key=b"0123456789abcdef", enc_mode="AES-GCM")

tuned = I3D(3, 51, True)
trained = [parameter for parameter in tuned.trainable_params()
           if parameter.name.startswith(("logits", "Mixed_5"))]
step = nn.TrainOneStepCell(nn.WithLossCell(tuned, nn.MSELoss()), nn.Adam(trained, .001))
mindspore.save_checkpoint(step, "tuned.ckpt", append_dict={"epoch_num": 3, "step_num": 10})
numpy.savez("tuned.npz", **params(tuned))
