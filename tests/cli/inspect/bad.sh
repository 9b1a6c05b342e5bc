# What is no file of weights: the message names the file and the reason, the exit status is 1.
golden=$I3D_SOURCE/tests/golden/checkpoint
: >empty.ckpt
fails 1 "'empty.ckpt': the file is empty" i3d inspect empty.ckpt
mkdir folder.ckpt
fails 1 "'folder.ckpt': it is a folder" i3d inspect folder.ckpt
fails 1 "'none.ckpt': No such file" i3d inspect none.ckpt
echo text >text.pt
fails 1 "'text.pt': it is none of these" i3d inspect text.pt
head -c 100 "$golden/mindspore.ckpt" >cut.ckpt
fails 1 "'cut.ckpt' as a MindSpore checkpoint" i3d inspect cut.ckpt
fails 1 "wants 'torch.nn.modules.linear.Linear'" i3d inspect "$golden/torch_module.pt"
cp "$golden/tensorflow.index" alone.index
fails 1 "cannot open 'alone.data-00000-of-00001'" i3d inspect alone.index
# A pipe is read where reading once is enough.
cat "$I3D_SOURCE/tests/golden/checkpoint/torch_zip.pt" | i3d inspect /dev/stdin >piped
same "$(i3d inspect "$I3D_SOURCE/tests/golden/checkpoint/torch_zip.pt" | tail -n +2)" "$(tail -n +2 piped)"
