/** A kernel for ARM64 that QEMU runs in a process of its own, for code that calls it at once. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Kernel } from '../../../../server/engine/native/native.ts';
import { afterSuite, suiteFolder } from '../../../support/closing.ts';

const COMPILER = 'aarch64-linux-gnu-gcc';
const EMULATOR = 'qemu-aarch64-static';
/** Where Debian has the C library for ARM64. */
const LIBRARIES = '/usr/aarch64-linux-gnu';
const HARNESS = fileURLToPath(new URL('./remote-kernel.c', import.meta.url));

/** Debian packages that ARM64 needs here. */
export const ARM_NEEDS = 'gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user-static';

export const hasArm = [COMPILER, EMULATOR].every((program) => {
  try {
    return execFileSync(program, ['--version']).length > 0;
  } catch {
    return false;
  }
});

type Numbers = Float32Array | Int32Array | Uint8Array;

const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Loads an add-on for ARM64. @param file of the add-on */
export function openRemote(file: string): Kernel {
  const folder = suiteFolder();
  const program = join(folder, 'harness');
  execFileSync(COMPILER, ['-O1', '-rdynamic', '-w', HARNESS, '-o', program]);
  const names = ['requests', 'answers'].map((name) => join(folder, name));
  execFileSync('mkfifo', names);
  // Opened for both ways at first, because opening for one would wait for the other process.
  const both = names.map((name) => openSync(name, 'r+'));
  const [input, answers] = names.map((name) => openSync(name, 'r'));
  const [requests, output] = names.map((name) => openSync(name, 'w'));
  const child = spawn(EMULATOR, ['-L', LIBRARIES, program, file], {
    stdio: [input, output, 'inherit'],
  });
  for (const descriptor of [...both, input, output]) closeSync(descriptor);
  afterSuite(() => {
    child.kill();
    closeSync(requests);
    closeSync(answers);
  });

  const write = (from: Numbers): void => {
    const bytes = bytesOf(from);
    for (let at = 0; at < bytes.length; ) at += writeSync(requests, bytes, at);
  };
  const read = <T extends Numbers>(to: T): T => {
    const bytes = bytesOf(to);
    for (let at = 0; at < bytes.length; ) {
      const found = readSync(answers, bytes, at, bytes.length - at, null);
      if (found === 0) throw new Error('the emulator has ended');
      at += found;
    }
    return to;
  };

  const call = (name: string, args: readonly (Numbers | undefined)[]): number => {
    const title = new Uint8Array(32);
    new TextEncoder().encodeInto(name, title);
    write(title);
    const sizes = args.flatMap((one) => [one?.byteLength ?? -1, one?.BYTES_PER_ELEMENT ?? 0]);
    write(Int32Array.of(args.length, ...sizes));
    for (const one of args) if (one) write(one);
    const [hasThrown, low] = read(new Int32Array(3));
    for (const one of args) if (one) read(one);
    if (hasThrown) throw new RangeError(`${name}: an array's length does not fit`);
    return low;
  };
  return new Proxy({} as Kernel, {
    get:
      (_, name) =>
      (...args: (Numbers | undefined)[]) =>
        call(String(name), args),
  });
}
