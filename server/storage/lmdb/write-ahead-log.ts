/**
 * A write-ahead log for small writes to an LMDB environment. A small write takes one page of 4 KiB
 * in this log, but at least eight pages in an LMDB transaction.
 *
 * The log file has its full size from the beginning, so that a sync need not write changes of the
 * file's size.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import type { Write } from '../records.ts';

export const LOG_FILE = 'write-ahead.log';
/** Size of the log file, in bytes. */
const CAPACITY = 2 * 2 ** 20;
/**
 * Page size of the log, in bytes. A write that fits into one page never crosses a page boundary, so
 * that only one page has to be written to disk.
 */
const PAGE = 4_096;
/**
 * Size of a frame's header, in bytes. A frame holds one write. The header contains the payload's
 * length (4 bytes), a CRC-32 of the frame from byte `CHECKED` on (4 bytes), and the number of the
 * write (a double).
 */
const HEADER = 16;
const CHECKED = 8;

const packr = new Packr({ useRecords: false, variableMapSize: true });

/**
 * Reads the log file of a folder; an empty buffer if there is none.
 *
 * @throws the error of `readFileSync`
 */
export function readLog(folder: string): Buffer {
  const path = join(folder, LOG_FILE);
  return fs.existsSync(path) ? fs.readFileSync(path) : Buffer.alloc(0);
}

/**
 * Finds the new writes in a log: the writes that are not yet in the LMDB environment.
 *
 * @param count number of the last write in the environment
 * @returns `writes`: the new writes, in order; `last`: number of the latest write, whether in the
 *   log or in the environment; `end`: byte offset for the next write; `missing`: number of writes
 *   missing before the first new write; `isDamaged`: whether an intact write follows a damaged one
 */
export function contentOf(bytes: Buffer, count: number) {
  const writes: Write[] = [];
  let last: number | undefined;
  let end = 0;
  let missing = 0;
  for (;;) {
    const frame = [end, nextPage(end)]
      .map((at) => frameAt(bytes, at))
      // After the first frame, accept only a frame with the next number. Other frames were written
      // before the log was last restarted.
      .find((one) => one && (last === undefined || one.number === last + 1));
    if (!frame) break;
    if (frame.number > count) {
      if (writes.length === 0) missing = frame.number - count - 1;
      const [put, remove] = packr.unpack(frame.payload) as [[string, Uint8Array][], string[]];
      // Copy the bytes into a new buffer, because sending bytes to another thread moves the whole
      // buffer, here the whole log.
      writes.push({ put: put.map(([key, own]) => ({ key, bytes: new Uint8Array(own) })), remove });
    }
    last = frame.number;
    end = frame.end;
  }
  const greatest = Math.max(count, last ?? 0);
  if (writes.length === 0) end = 0;
  const isDamaged = hasLater(bytes, end, greatest);
  return { writes, last: greatest, end, missing, isDamaged };
}

/** The open log of a folder. This process must have locked the folder. */
export class WriteAheadLog {
  private file: number | undefined;
  /**
   * Whether a failed write may have left bytes after the end of the log. A reader would take these
   * bytes for another write.
   */
  private hasRemains = false;

  constructor(
    private readonly folder: string,
    private end: number,
  ) {}

  /**
   * Appends a write, and returns when the write is on disk.
   *
   * @returns false if the write does not fit into the log, or fails. After a failure, the log
   *   accepts no writes until `restart` is called.
   */
  append(number: number, { put = [], remove = [] }: Write): boolean {
    const payload = packr.pack([put.map(({ key, bytes }) => [key, bytes]), remove]);
    const size = HEADER + payload.length;
    const begin = (this.end % PAGE) + size > PAGE ? nextPage(this.end) : this.end;
    if (this.hasRemains || begin + size > CAPACITY) return false;
    const frame = Buffer.alloc(size);
    frame.writeUInt32LE(payload.length);
    frame.writeDoubleLE(number, CHECKED);
    frame.set(payload, HEADER);
    frame.writeUInt32LE(crc32(frame.subarray(CHECKED)), 4);
    try {
      this.file ??= openFull(join(this.folder, LOG_FILE), this.folder);
      if (fs.writeSync(this.file, frame, 0, size, begin) < size) throw new Error('a short write');
      fs.fdatasyncSync(this.file);
    } catch {
      this.hasRemains = true;
      return false;
    }
    this.end = begin + size;
    return true;
  }

  /**
   * Makes the next write start at the beginning of the log. Call only if the LMDB environment
   * contains all writes of the log.
   */
  restart(): void {
    this.end = 0;
    this.hasRemains = false;
  }

  /**
   * Closes the log file.
   *
   * @param isObsolete whether to delete the file, because the LMDB environment contains all writes
   */
  close(isObsolete: boolean): void {
    if (this.file !== undefined) fs.closeSync(this.file);
    if (isObsolete) fs.rmSync(join(this.folder, LOG_FILE), { force: true });
  }
}

/**
 * Syncs a folder to disk, so that the creation, renaming and deletion of its files survive a power
 * failure.
 */
export function syncFolder(folder: string): void {
  // Windows cannot open folders.
  if (process.platform === 'win32') return;
  const file = fs.openSync(folder, fs.constants.O_RDONLY);
  fs.fsyncSync(file);
  fs.closeSync(file);
}

function openFull(path: string, folder: string): number {
  const file = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  try {
    const { size } = fs.fstatSync(file);
    if (size < CAPACITY) {
      fs.writeSync(file, Buffer.alloc(CAPACITY - size), 0, CAPACITY - size, size);
      fs.fsyncSync(file);
      syncFolder(folder);
    }
    return file;
  } catch (error) {
    fs.closeSync(file);
    throw error;
  }
}

const nextPage = (at: number): number => PAGE * Math.ceil(at / PAGE);

/** Reads the frame at an offset; undefined if there is no intact frame. */
function frameAt(bytes: Buffer, at: number) {
  if (at + HEADER > bytes.length) return undefined;
  const end = at + HEADER + bytes.readUInt32LE(at);
  if (end === at + HEADER || end > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + CHECKED, end)) !== bytes.readUInt32LE(at + 4)) return undefined;
  return {
    number: bytes.readDoubleLE(at + CHECKED),
    payload: bytes.subarray(at + HEADER, end),
    end,
  };
}

/** Whether an intact write with a number greater than `number` follows anywhere after an offset. */
function hasLater(bytes: Buffer, from: number, number: number): boolean {
  for (let at = from; at + HEADER <= bytes.length; at++) {
    const found = bytes.readDoubleLE(at + CHECKED);
    if (found > number && found < number + CAPACITY && frameAt(bytes, at)) return true;
  }
  return false;
}
