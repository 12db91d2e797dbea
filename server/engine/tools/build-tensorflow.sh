#!/usr/bin/env bash
# Builds the native part of tfjs-node on this machine, for machines that reach a package index but
# not tfjs's storage host. x86-64 Linux only.
set -euo pipefail

# The C API is in separate libraries only since 2.12, and later versions than this are not tested.
version=2.15.1

if [ "${1:-}" = --help ]; then
  cat <<END
Builds the native part of @tensorflow/tfjs-node-gpu (or tfjs-node) against the libraries in PyPI's
TensorFlow $version, for x86-64 Linux. Takes a minute and 0.7 GB of disk space (2 GB with --gpu).

Usage: npm run build:tensorflow -- [--gpu] [WHEEL]

  --gpu   use the wheel with GPU kernels, which need CUDA 12.2 and cuDNN 8.9 on the path of the
          loader; without this option, or without a GPU, TensorFlow uses only the CPU
  WHEEL   TensorFlow wheel to use; without it, pip downloads one

Needs g++, python3 (with pip, unless you name a wheel) and Node's headers. If your installation of
Node has no headers, run npm install --no-save node-api-headers.
END
  exit
fi

fail() {
  echo "build:tensorflow: $1" >&2
  exit 1
}

[ "$(uname -sm)" = 'Linux x86_64' ] || fail "this command supports only x86-64 Linux, not $(uname -sm)"
folder=$(node -p 'path.dirname(require.resolve("@tensorflow/tfjs-node-gpu/package.json"))' 2>/dev/null) ||
  folder=$(node -p 'path.dirname(require.resolve("@tensorflow/tfjs-node/package.json"))' 2>/dev/null) ||
  fail 'neither tfjs-node-gpu nor tfjs-node is installed; run npm ci first'
headers=$(node -p 'path.join(path.dirname(process.execPath), "../include/node")')
[ -e "$headers/node_api.h" ] || headers=node_modules/node-api-headers/include
[ -e "$headers/node_api.h" ] || fail "Node's headers are missing; run: npm install --no-save node-api-headers"
command -v g++ >/dev/null || fail 'a C++ compiler is needed (Debian: apt-get install g++)'

package=tensorflow-cpu
[ "${1:-}" != --gpu ] || { package=tensorflow; shift; }
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
wheel=${1:-}
if [ -z "$wheel" ]; then
  # A wheel for any Python version will do, as only its libraries and headers are used.
  python3 -m pip download --disable-pip-version-check --python-version 3.10 --only-binary :all: \
    --no-deps -d "$temporary" --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    "$package==$version" ||
    fail 'pip cannot download TensorFlow; download the wheel yourself and name it'
  wheel=$(echo "$temporary"/*.whl)
fi
rm -rf "$folder/deps"
python3 - "$wheel" "$folder/deps" <<'END' || fail "$wheel is not a wheel, or cannot be unpacked"
import sys, zipfile
wanted = ('tensorflow/libtensorflow_', 'tensorflow/include/tensorflow/', 'tensorflow/include/tsl/')
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])
END
libraries=$folder/deps/tensorflow

# The path where the package looks for the add-on, which depends on Node's version.
addon=$(cd "$folder" && node -p 'require("@mapbox/node-pre-gyp").find(path.resolve("package.json"))')
mkdir -p "$(dirname "$addon")"
g++ -O2 -fPIC -shared -std=c++17 -DNAPI_VERSION=8 -I "$libraries/include" -I "$headers" \
  "$folder"/binding/tfjs_b{ackend,inding}.cc -o "$addon" -L "$libraries" \
  -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2 \
  -Wl,-rpath,'$ORIGIN/../../deps/tensorflow' || fail 'the add-on does not compile'
TF_CPP_MIN_LOG_LEVEL=3 node -e 'console.log("TensorFlow", require(process.argv[1]).TF_Version, "loads")' "$addon"
