# What doctor says agrees with what this machine says of itself, as text and as JSON.
i3d doctor >text || [ $? = 1 ]
grep -q "^cores: $(nproc)\$" text
grep -q '^version: ' text
grep -q '^  reference: ' text
if grep -qw avx2 /proc/cpuinfo; then grep -q '^instructions:.* avx2' text; fi

i3d doctor --json >json || [ $? = 1 ]
command -v python3 >/dev/null || skip 'python3 is not installed: the JSON was not parsed'
python3 - "$(nproc)" <<'END'
import json, sys
told = json.load(open("json"))
assert told["cores"] == int(sys.argv[1])
assert "reference" in told["engines"]
assert set(told["instructions"]) <= set(open("/proc/cpuinfo").read().split())
assert told["ready"] == (told["video"] != "none" and told["image"] != "none")
END
