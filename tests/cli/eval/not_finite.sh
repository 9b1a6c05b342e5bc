# A network that gives NaN is an error of eval, predict and infer, which names the layer; so is a raw
# clip that holds one.
command -v python3 >/dev/null || skip 'there is no Python'
i3d synth v --classes 2 --videos-per-class 4 --frames 10 --size 48 --quiet >/dev/null
i3d annotate folder v a.json --split v/split.csv --quiet >/dev/null
data="--resize 0 --source video --size 0 --video-path v --annotation-path a.json"
clip="--test-sample-duration 8 --spatial-size 32"
i3d train $data --threads 1 --train-sample-duration 8 --spatial-size 32 --batch-size 2 \
    --num-epochs 1 --optimizer sgd --save-dir run --quiet >/dev/null
i3d convert run/checkpoints/best.ckpt good.safetensors --quiet >/dev/null
python3 - <<END
import json
import struct

data = bytearray(open("good.safetensors", "rb").read())
(length,) = struct.unpack("<Q", data[:8])
begin = json.loads(data[8:8 + length])["logits.conv3d.bias"]["data_offsets"][0]
data[8 + length + begin:8 + length + begin + 4] = struct.pack("<f", float("nan"))
open("bad.safetensors", "wb").write(data)
END
reason="a parameter of 'logits' is not a finite number"
fails 1 "$reason" i3d eval $data $clip --threads 1 --rgb bad.safetensors
fails 1 "$reason" i3d predict v/up/up_g01_c01.avi $clip --threads 1 --size 0 --rgb bad.safetensors
i3d preprocess $data $clip --dataset s --batch-size 1 --quiet >/dev/null
clips=preprocess_Result/data/s/rgb
infer="$clip --batch-size 1 --threads 1"
fails 1 "$reason" i3d infer --model bad.safetensors $infer $clips
i3d infer --model good.safetensors $infer $clips >/dev/null
printf '\0\0\300\177' | dd of=$clips/s_bsrgb_1.bin bs=4 seek=99 conv=notrunc 2>/dev/null
fails 1 "'$clips/s_bsrgb_1.bin' holds a number that is not finite" \
    i3d infer --model good.safetensors $infer $clips
