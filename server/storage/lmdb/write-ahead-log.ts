/**
 * A write-ahead log beside an LMDB environment. A transaction of LMDB writes at least eight pages
 * of 4 KiB, however small its records; a write of the log, one.
 *
 * The file has its full size from the beginning: a write changes neither its size nor where it lies
 * on the disk, so that the file system has nothing else to write when the data are synced.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Packr } from 'msgpackr';
import type { Write } from '../records.ts';

export const LOG_FILE = 'write-ahead.log';
/** Size of the file, bytes. */
const CAPACITY = 2 * 2 ** 20;
/** What the disk is written in, bytes. A small write does not cross its boundaries. */
const PAGE = 4_096;
/** Length and CRC-32 of what follows the two, and the write's number as a double. */
const HEADER = 16;
const CHECKED = 8;

const packr = new Packr({ useRecords: false, variableMapSize: true });

/** What the log adds to an environment. */
export interface LogContent {
  /** In their order, all after those that the environment has. */
  readonly writes: readonly Write[];
  /** Number of the last write, in log or environment. */
  readonly last: number;
  /** Where the next write is placed. */
  readonly end: number;
  /** Number of writes before those of the log that the environment lacks. */
  readonly missing: number;
  /** Whether a write before the last one is damaged. */
  readonly isDamaged: boolean;
}

/** The bytes of a folder's log; none if it has no log. @throws the system's error */
export function readLog(folder: string): Buffer {
  const path = join(folder, LOG_FILE);
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
}

/**
 * Finds the writes of a log.
 *
 * @param count number of the environment's last write
 */
export function contentOf(bytes: Buffer, count: number): LogContent {
  const writes: Write[] = [];
  let last: number | undefined;
  let end = 0;
  let missing = 0;
  for (;;) {
    const frame = [end, nextPage(end)]
      .map((at) => frameAt(bytes, at))
      // Others are from before the log began anew.
      .find((one) => one && (last === undefined || one.number === last + 1));
    if (!frame) break;
    if (frame.number > count) {
      if (writes.length === 0) missing = frame.number - count - 1;
      writes.push(decode(frame.payload));
    }
    last = frame.number;
    end = frame.end;
  }
  const greatest = Math.max(count, last ?? 0);
  if (writes.length === 0) end = 0;
  const isDamaged = hasLater(bytes, end, greatest);
  return { writes, last: greatest, end, missing, isDamaged };
}

/** The log of a folder that belongs to this process. */
export class WriteAheadLog {
  private file: number | undefined;
  /** Whether a write that failed may lie after the end, where it would be read as the next one. */
  private hasRemains = false;

  /** @param end see `LogContent` */
  constructor(
    private readonly folder: string,
    private end: number,
  ) {}

  /**
   * Appends a write, and returns when it is on the disk.
   *
   * @returns false if it does not fit or cannot be written; the log is as before, and after a failed
   *   write takes no more until it begins anew
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
      if (writeSync(this.file, frame, 0, size, begin) < size) throw new Error('a short write');
      fdatasyncSync(this.file);
    } catch {
      this.hasRemains = true;
      return false;
    }
    this.end = begin + size;
    return true;
  }

  /** The environment has everything: the log begins anew. */
  restart(): void {
    this.end = 0;
    this.hasRemains = false;
  }

  /** @param isObsolete whether the environment has everything */
  close(isObsolete: boolean): void {
    if (this.file !== undefined) closeSync(this.file);
    if (isObsolete) rmSync(join(this.folder, LOG_FILE), { force: true });
  }
}

/** Makes changes of a folder's list of files survive a loss of power. */
export function syncFolder(folder: string): void {
  // Windows cannot open folders.
  if (process.platform === 'win32') return;
  const file = openSync(folder, constants.O_RDONLY);
  fsyncSync(file);
  closeSync(file);
}

function openFull(path: string, folder: string): number {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const { size } = fstatSync(file);
    if (size < CAPACITY) {
      writeSync(file, Buffer.alloc(CAPACITY - size), 0, CAPACITY - size, size);
      fsyncSync(file);
      syncFolder(folder);
    }
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

const nextPage = (at: number): number => PAGE * Math.ceil(at / PAGE);

interface Frame {
  readonly number: number;
  readonly payload: Uint8Array;
  readonly end: number;
}

function frameAt(bytes: Buffer, at: number): Frame | undefined {
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

/** Whether a whole write with a greater number lies somewhere after a place. */
function hasLater(bytes: Buffer, from: number, number: number): boolean {
  for (let at = from; at + HEADER <= bytes.length; at++) {
    const found = bytes.readDoubleLE(at + CHECKED);
    if (found > number && found < number + CAPACITY && frameAt(bytes, at)) return true;
  }
  return false;
}

function decode(payload: Uint8Array): Write {
  const [put, remove] = packr.unpack(payload) as [[string, Uint8Array][], string[]];
  // Copies, as sending a view to another thread would transfer its whole buffer.
  return { put: put.map(([key, bytes]) => ({ key, bytes: new Uint8Array(bytes) })), remove };
}
