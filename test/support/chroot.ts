/** A bare Debian in a folder, for tests of packages and images. */
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Of the machine's own, which a registry's mirror may need. */
const CERTIFICATES = '/etc/ssl/certs';

const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args).status === 0;

/** What a bare Debian needs here. */
export const CHROOT_NEEDS = 'root and debootstrap';

export const hasChroot =
  process.getuid?.() === 0 && works('debootstrap', '--version') && works('unshare', '-m', 'true');

/** Installs Debian 13. @param packages besides the smallest system */
export async function bareDebian(root: string, packages: readonly string[]): Promise<void> {
  const words = ['--variant=minbase', `--include=${packages}`, 'trixie', root];
  await run('debootstrap', [...words, 'http://deb.debian.org/debian'], { maxBuffer: 1e8 });
  mkdirSync(join(root, CERTIFICATES), { recursive: true });
  const bundle = join(CERTIFICATES, 'ca-certificates.crt');
  if (existsSync(bundle)) cpSync(bundle, join(root, bundle), { dereference: true });
}

/** Where a command finds its programs. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The words that run a command in the folder as if it were a machine. The command takes the place of
 * each program before it, so it gets their signals.
 */
export function wordsInside(root: string, command: readonly string[], env: object = {}): string[] {
  const settings = Object.entries({ PATH, DEBIAN_FRONTEND: 'noninteractive', ...env });
  const script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  return [
    ...['unshare', '-m', 'sh', '-c', script, root, 'env'],
    ...settings.map(([name, value]) => `${name}=${value}`),
    ...command,
  ];
}

/** Runs a command in the folder. @returns what it printed @throws Error it failed */
export async function inside(root: string, ...command: string[]): Promise<string> {
  const [program, ...words] = wordsInside(root, command);
  return (await run(program, words, { maxBuffer: 1e8 })).stdout;
}
