/** A limit to which a server's files grow: as good as a full disk, without one. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerProcess } from './process.ts';

/** Words of a shell before a server that is to be limited: a write beyond the limit only fails. */
export const MAY_BE_LIMITED = "trap '' XFSZ";
/** Of the data file once cells are in it; without any it has a few pages. Bytes. */
const WITH_CELLS = 2 ** 17;

/**
 * As soon as cells are stored, lets no file grow beyond those that hold them.
 *
 * @param folder of the data
 * @returns whether that is so from now on
 */
export function limitOnceStored({ child }: ServerProcess, folder: string): boolean {
  const { size } = statSync(join(folder, 'data.mdb'));
  if (size < WITH_CELLS) return false;
  execFileSync('prlimit', [`--pid=${child.pid}`, `--fsize=${size}:`]);
  return true;
}

/** Takes the limit away. */
export function unlimit({ child }: ServerProcess): void {
  execFileSync('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited']);
}
