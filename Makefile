# What a newcomer types. Everything is done by CMake; this file only says it shortly.
#   make            build the program: build/release/cli/i3d
#   make demo       install packages, build, and do the main job on data made here
#   make test       unit, golden, command-line and fault tests
# PREFIX=/usr/local  where `make install` puts things

PREFIX ?= /usr/local
GENERATE = cmake --preset
COMPILE = cmake --build

.PHONY: all demo test test-oracle test-peers bench coverage check-sanitizers trials format install clean
.PHONY: packages packages-test packages-oracle

all: packages
	$(GENERATE) release
	$(COMPILE) build/release

demo: all
	scripts/demo.sh build/release/cli/i3d out/demo

test: packages-test
	$(GENERATE) dev
	$(COMPILE) build/dev
	tests/run.sh build/dev -LE oracle

# Live comparisons with PyTorch, OpenCV, MindSpore and others: minutes, and packages from PyPI.
test-oracle: packages-oracle
	$(GENERATE) dev
	$(COMPILE) build/dev
	tests/run.sh build/dev -L oracle

# Comparisons with this year's libraries: gigabytes from PyPI.
test-peers: all
	tests/peers/run.sh build/release/src/libi3d.so ../shared/data build/peers

# Ratios against peers, measured in the same run.
bench: packages-oracle
	$(GENERATE) release
	$(COMPILE) build/release
	bench/run.sh build/release

coverage: packages-test
	$(GENERATE) coverage
	$(COMPILE) build/coverage
	find build/coverage -name '*.gcda' -delete
	tests/run.sh build/coverage -LE oracle
	gcovr --root . --filter src/ --object-directory build/coverage --print-summary \
	    --fail-under-line 85 --txt build/coverage/coverage.txt
	tail -4 build/coverage/coverage.txt

check-sanitizers: packages-test
	$(GENERATE) asan
	$(COMPILE) build/asan
	tests/run.sh build/asan -LE oracle

# Everything that is tried to break the program, with counts for doc/reliability.md: hours. Each
# reader is fuzzed for SECONDS; trainings of several processes end in each way at MOMENTS.
SECONDS ?= 300
KILLS ?= 200
MOMENTS ?= 30
TRIALS = tests/trials
RESULTS = $(TRIALS)/results
trials: packages-test
	$(GENERATE) dev
	$(COMPILE) build/dev
	$(GENERATE) fuzz
	$(COMPILE) build/fuzz
	$(TRIALS)/fuzz.py build/fuzz --seconds $(SECONDS) --csv $(RESULTS)/fuzz.csv
	$(TRIALS)/call_sites.py build/dev/cli/i3d build/dev/$(TRIALS)/fail_once.so \
	    --csv $(RESULTS)/call_sites.csv
	$(TRIALS)/kills.py build/dev/cli/i3d --kills $(KILLS) --csv $(RESULTS)/kills.csv
	$(TRIALS)/leaks.py build/dev/cli/i3d --csv $(RESULTS)/leaks.csv
	I3D_MOMENTS=$(MOMENTS) tests/mpi/run.sh $$PWD/build/dev/cli/i3d tests/mpi/stop.sh
	$(TRIALS)/page.py

format:
	git ls-files '*.c' '*.h' '*.cu' | xargs clang-format -i

install: all
	cmake --install build/release --prefix $(PREFIX)
	@[ "$$(id -u)" != 0 ] || ldconfig || true # where the prefix is one of its folders

clean:
	rm -rf build out

packages:
	@scripts/install_packages.sh build
packages-test:
	@scripts/install_packages.sh build test
	-@scripts/install_onnxruntime.sh
packages-oracle: packages-test
	@scripts/install_packages.sh oracle
