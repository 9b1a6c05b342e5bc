# What a newcomer types. Everything is done by CMake; this file only says it shortly.
#   make            build the program: build/release/cli/i3d
#   make demo       install packages, build, and do the main job on data made here
#   make test       unit, golden, command-line and fault tests
# PREFIX=/usr/local  where `make install` puts things

PREFIX ?= /usr/local
GENERATE = cmake --preset
COMPILE = cmake --build

.PHONY: all demo test test-oracle bench coverage check-sanitizers fuzz format install clean
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

# Each reader, SECONDS long, from the files of ../shared/data/formats where they are present.
SECONDS ?= 300
fuzz: packages-test
	$(GENERATE) fuzz
	$(COMPILE) build/fuzz
	tests/fuzz/run.sh build/fuzz $(SECONDS)

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

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
