#!/bin/sh
# install-tree.sh TARBALL FOLDER [ARCH]: installs the package of a release with ONNX Runtime and WebGPU, for Linux on this
# machine's processor or on ARCH (x64, arm64). The image and the Debian package contain this folder.
set -eu
arch=${3:-$(node -p process.arch)}
npm install --prefix "$2" --ignore-scripts --no-audit --no-fund --prefer-offline \
  --os linux --cpu "$arch" --libc glibc "$1" onnxruntime-node webgpu
cd "$2/node_modules"
# These two contain the parts for all platforms.
find onnxruntime-node/bin/napi-v* -mindepth 2 -maxdepth 2 ! -path "*/linux/$arch" -exec rm -r {} +
find webgpu/dist -mindepth 1 -maxdepth 1 -type d -name '*-*' ! -name "linux-$arch" -exec rm -r {} +
find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete
