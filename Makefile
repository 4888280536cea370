# `make run` shows where a sample photo was manipulated; `make test` runs the tests. Each installs what is missing first.
PACKAGES = libonnx-dev libprotobuf-dev libopenblas-dev libjpeg-dev libpng-dev libtiff-dev libwebp-dev libzip-dev \
	libssl-dev libre2-dev pkg-config
PHOTO = samples/alpine-duck.jpg
# deeplab, pspnet, sam, or several with commas between them.
SEG = sam
OUT = out

.PHONY: run test conformance conformance-cases build packages format lint clean

run: build
	swift run -c release --skip-build pipeline run --seg $(SEG) --out $(OUT) $(PHOTO)

test: packages
	swift build -c release --build-tests -Xswiftc -enable-testing --scratch-path .build/tests
	swift test -c release --skip-build -Xswiftc -enable-testing --scratch-path .build/tests

# The cases of the onnx package, and docs/operators.md from what passes.
conformance: conformance-cases packages
	swift build -c release --build-tests -Xswiftc -enable-testing --scratch-path .build/tests
	WRITE_OPERATOR_TABLE=1 swift test -c release --skip-build -Xswiftc -enable-testing \
		--scratch-path .build/tests --filter ConformanceTests

conformance-cases: .build/conformance/node

.build/conformance/node: Tests/Fixtures/conformance.py
	$(call install,python3 python3-venv)
	python3 -m venv .build/conformance-environment
	.build/conformance-environment/bin/pip install -q onnx==1.23.2
	.build/conformance-environment/bin/python Tests/Fixtures/conformance.py .build/conformance

build: packages
	swift build -c release

# Asks for root only when something has to be installed.
define install
	@missing=$$(for package in $(1); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; \
	done); \
	if [ -n "$$missing" ]; then \
		echo "Installing" $$missing; \
		if [ "$$(id -u)" -eq 0 ]; then sudo=; else sudo=sudo; fi; \
		$$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends $$missing; \
	fi
endef

packages:
	$(call install,$(PACKAGES))

format:
	swift format -i -r -p Package.swift Sources Tests

lint:
	swift format lint -s -r -p Package.swift Sources Tests

clean:
	rm -rf .build $(OUT)
