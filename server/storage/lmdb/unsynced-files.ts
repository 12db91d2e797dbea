/**
 * Files that nobody waits for: they survive the end of the process, as the system has them, but not
 * a loss of power. One that is replaced within some 30 s is never written to the disk at all, where
 * the file system allocates late (ext4, XFS, Btrfs).
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

const FOLDER = 'unsynced';
/** Of each part: its length and its CRC-32. */
const HEADER = 8;

export class UnsyncedFiles {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = join(folder, FOLDER);
  }

  /** Replaces the file of a key; without parts, removes it. @throws the system's error */
  put(key: string, parts: readonly Uint8Array[]): void {
    const old = this.filesOf(key);
    if (parts.length > 0) {
      mkdirSync(this.folder, { recursive: true });
      const draft = join(this.folder, 'draft');
      const file = openSync(draft, 'w', 0o600);
      try {
        for (const part of parts) {
          const header = Buffer.alloc(HEADER);
          header.writeUInt32LE(part.length);
          header.writeUInt32LE(crc32(part), 4);
          writeSync(file, header);
          writeSync(file, part);
        }
      } finally {
        closeSync(file);
      }
      // Under a new name, as ext4 writes a file that replaces another at once.
      renameSync(draft, join(this.folder, `${nameOf(key)}.${(old[0]?.number ?? 0) + 1}`));
    }
    for (const { name } of old) rmSync(join(this.folder, name), { force: true });
  }

  /** The parts of a key's file; undefined: there is none, or it is not whole. */
  get(key: string): Uint8Array[] | undefined {
    const [latest] = this.filesOf(key);
    if (!latest) return undefined;
    const bytes = readFileSync(join(this.folder, latest.name));
    const parts: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (at + HEADER > bytes.length) return undefined;
      const end = at + HEADER + bytes.readUInt32LE(at);
      const part = new Uint8Array(bytes.subarray(at + HEADER, end));
      if (end > bytes.length || crc32(part) !== bytes.readUInt32LE(at + 4)) return undefined;
      parts.push(part);
      at = end;
    }
    return parts.length > 0 ? parts : undefined;
  }

  /** Latest first. */
  private filesOf(key: string): { readonly name: string; readonly number: number }[] {
    const prefix = `${nameOf(key)}.`;
    return namesIn(this.folder)
      .filter((name) => name.startsWith(prefix))
      .map((name) => ({ name, number: Number(name.slice(prefix.length)) }))
      .sort((a, b) => b.number - a.number);
  }
}

const nameOf = (key: string): string => encodeURIComponent(key);

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
