"""The oneDNN engine with oneDNN 3.x, whose API is not that of Debian 12's 2.6.

engine_onednn3.py VIRTUALENV SOURCE BUILD: builds the engine's tests against PyPI's oneDNN in the
folder BUILD and runs them. Exit 77 if it cannot be installed."""
import os
import subprocess
import sys

import oracle_venv

oracle_venv.enter(sys.argv[1], "onednn-devel-cpu-gomp")
source, build = sys.argv[2:]
program = f"{build}/tests/unit/engine/test_engine_cpu"


def run(*command):
    print("$", *command, flush=True)
    subprocess.run(command, check=True)


run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-D", "CMAKE_BUILD_TYPE=RelWithDebInfo",
    "-D", "I3D_WERROR=ON", "-D", "I3D_ONEDNN=ON", "-D", "CMAKE_PREFIX_PATH=" + sys.prefix)
run("cmake", "--build", build, "--target", "test_engine_cpu")
linked = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
assert "libdnnl.so.3" in linked, linked
os.environ["OMP_WAIT_POLICY"] = "passive"
run(program)
