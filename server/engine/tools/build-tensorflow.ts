/**
 * Builds the native part of tfjs-node on this machine, for machines that reach a package index but
 * not tfjs's storage host.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Values } from '../../settings/command-line.ts';
import { runCommand } from '../../settings/document.ts';
import { text } from '../../settings/server-types.ts';
import { tensorflowFolders } from '../tfjs/native-part.ts';

/**
 * The version of TensorFlow to download. The C API is in separate libraries only since 2.12, and
 * later versions than this one are not tested.
 */
const VERSION = '2.15.1';

const COMMAND = {
  about: `Builds the native part of @tensorflow/tfjs-node-gpu (or tfjs-node) against the libraries in PyPI's TensorFlow ${VERSION}, for x86-64 Linux. Takes a minute and 0.7 GB of disk space (2 GB with --gpu).`,
  usage: 'npm run build:tensorflow -- [--wheel FILE] [--gpu]',
  options: {
    wheel: {
      value: 'FILE',
      type: text,
      help: 'TensorFlow wheel to use; without this option, pip downloads one',
    },
    gpu: {
      help: 'use the wheel with GPU kernels, which need CUDA 12.2 and cuDNN 8.9 on the path of the loader; without this option, or without a GPU, TensorFlow uses only the CPU',
    },
  },
  notes: [
    "Needs g++, python3 (with pip, unless you give --wheel) and Node's headers. If your installation of Node has no headers, run npm install --no-save node-api-headers",
  ],
} as const;

const WANTED = [
  'tensorflow/libtensorflow_',
  'tensorflow/include/tensorflow/',
  'tensorflow/include/tsl/',
];
const UNPACK = `import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name in wheel.namelist():
    if name.startswith(tuple(sys.argv[3:])): wheel.extract(name, sys.argv[2])`;
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

async function main({ wheel: given, gpu }: Values<typeof COMMAND.options>): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `this command supports only x86-64 Linux, not ${process.arch} ${process.platform}`,
    );
  }
  const [folder] = tensorflowFolders();
  if (!folder) {
    throw new Error('neither tfjs-node-gpu nor tfjs-node is installed; run npm ci first');
  }
  const manifest = join(folder, 'package.json');
  const headers = findHeaders();
  run('g++', ['--version'], 'a C++ compiler is needed (Debian: apt-get install g++)', 'ignore');

  if (given !== undefined && !existsSync(given)) throw new Error(`${given}: no such file`);

  const libraries = join(folder, 'deps', 'tensorflow');
  await rm(join(folder, 'deps'), { recursive: true, force: true });
  const temporary = await mkdtemp(join(tmpdir(), 'tensorflow-'));
  try {
    const wheel = given ?? (await download(gpu, temporary));
    run(
      'python3',
      ['-c', UNPACK, wheel, join(folder, 'deps'), ...WANTED],
      `${wheel} is not a wheel, or cannot be unpacked`,
    );
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  for (const name of LIBRARIES) {
    if (!existsSync(join(libraries, name))) {
      throw new Error(`the wheel has no ${name}; use the wheel of TensorFlow ${VERSION}`);
    }
  }

  // The path where the package looks for the add-on, which depends on Node's version.
  const addon: string = createRequire(manifest)('@mapbox/node-pre-gyp').find(manifest);
  await mkdir(dirname(addon), { recursive: true });
  run(
    'g++',
    [
      ...['-O2', '-fPIC', '-shared', '-std=c++17', '-DNAPI_VERSION=8'],
      ...['-I', join(libraries, 'include'), '-I', headers],
      ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(folder, 'binding', name)),
      ...['-o', addon, '-L', libraries, ...LIBRARIES.map((name) => `-l:${name}`)],
      '-Wl,-rpath,$ORIGIN/../../deps/tensorflow',
    ],
    'the add-on does not compile',
  );
  run(
    process.execPath,
    ['-e', 'console.log("TensorFlow", require(process.argv[1]).TF_Version, "loads")', addon],
    'the add-on is built but does not load',
  );
}

function findHeaders(): string {
  const places = [
    join(dirname(process.execPath), '..', 'include', 'node'),
    join('node_modules', 'node-api-headers', 'include'),
  ];
  const found = places.find((place) => existsSync(join(place, 'node_api.h')));
  if (!found) {
    throw new Error(
      `Node's headers are not in ${places[0]}; run: npm install --no-save node-api-headers`,
    );
  }
  return found;
}

/** Downloads the wheel with pip, which knows this machine's index, proxy and certificates. */
async function download(gpu: boolean, to: string): Promise<string> {
  // A wheel for any Python version will do, as only its libraries and headers are used.
  const any = ['--python-version', '3.10', '--only-binary', ':all:', '--no-deps', '-d', to];
  const platforms = ['--platform', 'manylinux_2_17_x86_64', '--platform', 'manylinux2014_x86_64'];
  run(
    'python3',
    [
      ...['-m', 'pip', 'download', '--disable-pip-version-check', ...any, ...platforms],
      `${gpu ? 'tensorflow' : 'tensorflow-cpu'}==${VERSION}`,
    ],
    'pip cannot download TensorFlow; download the wheel yourself and name it with --wheel',
  );
  const [wheel] = await readdir(to);
  return join(to, wheel);
}

function run(
  command: string,
  args: readonly string[],
  otherwise: string,
  stdio: 'inherit' | 'ignore' = 'inherit',
): void {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  if (spawnSync(command, args, { stdio, env }).status !== 0) throw new Error(otherwise);
}

runCommand(COMMAND, main).catch((error: unknown) => {
  process.stderr.write(`build:tensorflow: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
