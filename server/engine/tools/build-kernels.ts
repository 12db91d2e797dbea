/** `npm run kernels -- --out FOLDER`: compiles a release's prebuilt kernels into FOLDER. */
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildKernel, TARGETS } from '../native/compile.ts';

const { out } = parseArgs({ options: { out: { type: 'string' } } }).values;
try {
  if (!out) throw new Error('give the output folder with --out');
  await mkdir(out, { recursive: true });
  const made = await Promise.all(Object.keys(TARGETS).map((target) => buildKernel(target, out)));
  console.log(made.join('\n'));
} catch (error) {
  console.error(`kernels: ${(error as Error).message}`);
  console.error('On Debian, run: apt-get install gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross');
  process.exitCode = 1;
}
