"""Python packages for oracles that Debian does not have."""
import os
import subprocess
import sys
from pathlib import Path


def enter(folder, *packages):
    """Starts the script again in the virtual environment `folder`, made here if need be.

    Exit 77, skipped, if the packages cannot be installed."""
    folder = Path(folder).absolute()
    if Path(sys.prefix) == folder:
        return
    ready = folder / ("ready-" + "-".join(packages))
    if not ready.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([folder / "bin" / "pip", "install", "--quiet", *packages], check=True)
        except subprocess.CalledProcessError:
            print("skipped: pip cannot install", *packages)
            sys.exit(77)
        ready.touch()
    python = folder / "bin" / "python"
    os.execv(python, [python, *sys.argv])
