# Zip archives whose entries are deflated are read as their like, shared storages, views and Fortran
# order too; one that promises more than its budget is refused before it is unpacked.
python=$(command -v /usr/bin/python3 || command -v python3) || skip 'there is no Python'
golden=$I3D_SOURCE/tests/golden/checkpoint
cat >pack.py <<'END'
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as old, \
        zipfile.ZipFile(sys.argv[2], "w", zipfile.ZIP_DEFLATED) as new:
    for name in old.namelist():
        new.writestr(name, old.read(name))
END
cat >bomb.py <<'END'
import zipfile

header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (400000000,), }"
array = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header
with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
    with archive.open("a.npy", "w") as entry:
        entry.write(array)
        for _ in range(400):
            entry.write(bytes(1000000))
END
for file in torch_zip.pt torch_views.pt torch_nested.pt stored.npz; do
    $python pack.py "$golden/$file" "packed_$file"
    i3d convert "$golden/$file" a.safetensors --quiet >/dev/null
    i3d convert "packed_$file" b.safetensors --quiet >/dev/null
    cmp a.safetensors b.safetensors
done
$python bomb.py
[ "$(wc -c <bomb.npz)" -lt 500000 ]
# 390 KB that would be 400 MB.
(ulimit -v 400000 && fails 1 'would unpack to 4000000' i3d inspect bomb.npz)
