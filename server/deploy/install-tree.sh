#!/bin/sh
# install-tree.sh TARBALL FOLDER [ARCH]: installs the package of a release into FOLDER, with ONNX Runtime and WebGPU, for Linux
# on the architecture ARCH (x64, arm64; by default, that of this machine). The container image and the Debian package contain FOLDER.
set -eu
arch=${3:-$(node -p process.arch)}
npm install --prefix "$2" --ignore-scripts --no-audit --no-fund --prefer-offline \
  --os linux --cpu "$arch" --libc glibc "$1" onnxruntime-node webgpu
cd "$2/node_modules"
# These two packages contain binaries for all platforms. Delete those for other platforms.
find onnxruntime-node/bin/napi-v* -mindepth 2 -maxdepth 2 ! -path "*/linux/$arch" -exec rm -r {} +
find webgpu/dist -mindepth 1 -maxdepth 1 -type d -name '*-*' ! -name "linux-$arch" -exec rm -r {} +
find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete
