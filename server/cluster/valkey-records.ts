/**
 * Stores records in Valkey. A room's records are written only while this process holds the room's
 * lease. Start reading at `openValkeyRecords`.
 */

import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { type Clock, pause } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { Mutex } from '../platform/queues.ts';
import { type Entry, type Records, type Span, StoreError, type Write } from '../storage/records.ts';
import { ANSWER_TIMEOUT, decodeMessage, encodeMessage } from './bus/bus.ts';
import { type FencedLog, LEASE, type Position, type RoomLeases } from './lease.ts';
import {
  APART_PREFIX,
  type Argument,
  BYTES_KEY,
  fenceKey,
  INDEX_KEY,
  PART_PREFIX,
  RECORD_PREFIX,
  Refused,
  type Reply,
  type ValkeyConnection,
} from './valkey-connection.ts';

export const RECORD_LIMITS = {
  /** Maximum total size of a room's records in Valkey, in bytes. */
  roomBytes: 268_435_456,
  /** Maximum number of bytes that one Valkey command writes. */
  partBytes: 1_000_000,
  /**
   * Maximum total size of a room's snapshots, in bytes. Above this size, the oldest snapshots are
   * deleted.
   */
  snapshotBytes: 201_326_592,
} as const;

/** Thrown if a room's records exceed their limit, or if Valkey is full. Nothing was written. */
export class LogFull extends Refused {
  override readonly name: string = 'LogFull';
}

const { partBytes, roomBytes } = RECORD_LIMITS;
/** Uploaded parts expire after this time, in ms, unless a write has turned them into records. */
const PART_LIFE = 600_000;

/** One change in a write. If `bytes` is undefined, the record is removed. */
export interface Change {
  readonly key: string;
  readonly bytes?: Uint8Array | undefined;
  /** Whether the bytes are stored under `APART_PREFIX`, and so are not in the index of records. */
  readonly isApart?: boolean;
  /** If true, and if a record with this key already exists, the whole write does nothing. */
  readonly isNew?: boolean;
}

const WRITE = `
local fence, index, total = KEYS[1], KEYS[2], KEYS[3]
local epoch, number, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local records, apart = ARGV[4], ARGV[5]
if epoch ~= '' then
  if redis.call('HGET', fence, 'epoch') ~= epoch then return 0 end
  local last = tonumber(redis.call('HGET', fence, 'last') or '0')
  if number <= last then
    redis.call('HSET', fence, 'last', last)
    return 1
  end
end
local grown = 0
for i = 6, #ARGV, 3 do
  local what, key = ARGV[i], ARGV[i + 1]
  if what:sub(2) == 'new' and redis.call('EXISTS', records .. key) == 1 then return 0 end
  grown = grown - redis.call('STRLEN', (what:sub(1, 1) == 'a' and apart or records) .. key)
  if what:sub(2) == 'put' or what:sub(2) == 'new' then grown = grown + #ARGV[i + 2] end
  if what:sub(2) == 'move' then
    -- Nothing is changed yet; later, a part that is not there would end the script in the middle.
    if redis.call('EXISTS', ARGV[i + 2]) == 0 then return 3 end
    grown = grown + redis.call('STRLEN', ARGV[i + 2])
  end
end
local bytes = tonumber(redis.call('HGET', fence, 'bytes') or '0') + grown
if epoch ~= '' and grown > 0 and bytes > most then return 2 end
for i = 6, #ARGV, 3 do
  local what, key = ARGV[i], ARGV[i + 1]
  local isApart = what:sub(1, 1) == 'a'
  local place = (isApart and apart or records) .. key
  local kind = what:sub(2)
  if kind == 'put' or kind == 'new' then
    redis.call('SET', place, ARGV[i + 2])
  elseif kind == 'move' then
    redis.call('RENAME', ARGV[i + 2], place)
    redis.call('PERSIST', place)
  else
    redis.call('DEL', place)
  end
  if not isApart then
    if kind == 'del' then redis.call('ZREM', index, key) else redis.call('ZADD', index, 0, key) end
  end
end
redis.call('HSET', fence, 'bytes', bytes)
if epoch ~= '' then redis.call('HSET', fence, 'last', number) end
redis.call('INCRBY', total, grown)
return 1
`;

/**
 * Changes to write in one transaction. Values that are too large for the transaction are uploaded
 * in advance, as parts.
 */
export class Prepared {
  /** Unique name of this write, used in the keys of its uploaded parts. */
  private readonly name = randomUUID();
  private readonly isLarge: readonly boolean[];
  private uploads = 0;
  private uploaded: Promise<unknown> | undefined;

  constructor(
    readonly changes: readonly Change[],
    private readonly connection: ValkeyConnection,
  ) {
    const all = changes.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
    this.isLarge = changes.map(
      ({ bytes }) => all > partBytes && bytes !== undefined && bytes.length > partBytes / 100,
    );
  }

  /**
   * Returns the key under which a change's bytes are uploaded; undefined if the change needs no
   * upload.
   *
   * @param change index of the change
   */
  partOf(change: number): string | undefined {
    // Use new keys for each upload, so that a delayed command of an earlier upload does no harm.
    const name = `${PART_PREFIX}${this.name}/${this.uploads}/${change}`;
    return this.isLarge[change] ? name : undefined;
  }

  /**
   * Uploads the parts, unless they have already been uploaded.
   *
   * @throws LogFull if Valkey is full; Error if Valkey does not answer
   */
  upload(): Promise<unknown> {
    this.uploaded ??= this.uploadParts().catch((error: unknown) => {
      this.uploaded = undefined;
      throw error;
    });
    return this.uploaded;
  }

  /** Makes the next write upload the parts again. Call this if Valkey may have lost them. */
  discard(): void {
    this.uploaded = undefined;
  }

  private async uploadParts(): Promise<void> {
    this.uploads++;
    for (const [i, { bytes }] of this.changes.entries()) {
      const key = this.partOf(i);
      if (!key || !bytes) continue;
      await full(this.connection.ask('SET', key, '', 'PX', PART_LIFE));
      for (let at = 0; at < bytes.length; at += partBytes) {
        await full(this.connection.ask('SETRANGE', key, at, bytes.subarray(at, at + partBytes)));
      }
    }
  }
}

/**
 * Waits for a Valkey command and returns its result.
 *
 * @throws LogFull if Valkey's memory is full; otherwise the command's own error
 */
async function full<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (/^OOM /.test((error as Error).message)) throw new LogFull('Valkey is full.');
    throw error;
  }
}

/** Writes the records of all rooms, and records that belong to no room. */
export class ValkeyLog implements FencedLog<Prepared> {
  constructor(private readonly connection: ValkeyConnection) {}

  /**
   * Writes changes in one transaction.
   *
   * @param position the leader's epoch and the write's number; undefined for records of no room
   * @returns whether the changes are written; false if the room has a newer leader, or if a change
   *   has `isNew` but its record already exists
   */
  async write(room: string, position: Position | undefined, prepared: Prepared): Promise<boolean> {
    await prepared.upload();
    const changes = prepared.changes.flatMap(({ key, bytes, isApart, isNew }, i): Argument[] => {
      const where = isApart ? 'a' : 'r';
      const part = prepared.partOf(i);
      if (!bytes) return [`${where}del`, key, ''];
      if (isNew) return [`${where}new`, key, bytes];
      return part ? [`${where}move`, key, part] : [`${where}put`, key, bytes];
    });
    const { epoch = '', number = 0 } = position ?? {};
    const limits = [epoch, number, roomBytes, RECORD_PREFIX, APART_PREFIX];
    try {
      // Send both commands at the same time. WAITAOF waits until the changes of the first command
      // are on disk.
      const [written, durable] = await Promise.all(
        [
          this.connection.run(WRITE, [fenceKey(room), INDEX_KEY, BYTES_KEY], ...limits, ...changes),
          this.connection.ask('WAITAOF', 1, 0, Math.floor(ANSWER_TIMEOUT / 2)),
        ].map((one) => full(one)),
      );
      if (written === 0) return false;
      if (written === 2) {
        const text = `The room needs more than the allowed ${Math.floor(roomBytes / 2 ** 20)} MiB in Valkey.`;
        throw new LogFull(text);
      }
      if (written === 3) throw new Error('Valkey has lost data that this server had uploaded');
      // WAITAOF returns the number of servers that have the changes on disk. After a timeout, the
      // number may be 0.
      const [disks] = durable as readonly Reply[];
      if (Number(disks) < 1) throw new Error('Valkey does not write to its disk');
      return true;
    } catch (error) {
      if (!(error instanceof LogFull)) prepared.discard();
      throw error;
    }
  }
}

/** Maximum number of records read at a time. */
const READ_AT_ONCE = 100;
/**
 * Lua script that reads the values of keys, in order, up to `partBytes` bytes in total. Returns no
 * values if the first value has more than `partBytes` bytes.
 */
const READ = `
local left, found = tonumber(ARGV[1]), {}
for i, key in ipairs(KEYS) do
  left = left - redis.call('STRLEN', key)
  if left < 0 then break end
  found[i] = redis.call('GET', key)
end
return found
`;
/** Maximum number of attempts to write records that belong to no room. */
const ATTEMPTS = 3;
/** Matches the keys of records that belong to a room, and captures the room's name. */
const ROOM_KEY =
  /^(?:mark|journal|snapshot|state|cells|day|room|tail|recent|hours|counted|moderation)\/([^/]+)/;

export interface ValkeyRecordsOptions {
  readonly reads: ValkeyConnection;
  /**
   * Connection for writing, separate from `reads`. On a shared connection, a large read could delay
   * journal writes.
   */
  readonly writes: ValkeyConnection;
  readonly leases: RoomLeases;
  readonly clock: Clock;
  /** Called when Valkey refuses a room's writes. The room then stops on this server. */
  readonly onRefused?: (room: string, why: string) => void;
}

/**
 * Opens the records of a cluster. Writes to one room take effect in order, with one exception:
 * while a large write uploads its data, small writes may overtake it.
 *
 * @returns the records. A write to a room throws StoreError 'not-owner' if this process does not
 *   lead the room, or if the lease ends before the write is done. All other calls throw StoreError
 *   'unreachable' if Valkey does not answer
 */
export function openValkeyRecords(options: ValkeyRecordsOptions): Records {
  const { reads, writes, leases, clock, onRefused } = options;
  const log = new ValkeyLog(writes);
  const unfenced = new Mutex();
  let closed = false;

  const requireOpen = (): void => {
    if (closed) throw new StoreError('closed', 'The store is closed.');
  };
  const read = async (...command: (string | number)[]): Promise<Reply> => {
    requireOpen();
    try {
      return await reads.ask(...command);
    } catch (error) {
      throw unreachable(error);
    }
  };
  const keys = async ({ from, to, backwards, limit }: Span): Promise<string[]> => {
    const ends = [`[${from}`, `(${to}`];
    const order = backwards ? [...ends.reverse(), 'BYLEX', 'REV'] : [...ends, 'BYLEX'];
    const part = limit === undefined ? [] : ['LIMIT', 0, limit];
    const found = await read('ZRANGE', INDEX_KEY, ...order, ...part);
    return (found as readonly Reply[]).map((key) => `${key}`);
  };
  /** Reads the first values of `places`: as many as fit into one answer, but at least one. */
  const readSome = async (places: readonly string[]): Promise<(Uint8Array | undefined)[]> => {
    const found = await read('EVAL', READ, places.length, ...places, partBytes);
    const values = (found as readonly Reply[]).map((bytes) =>
      bytes === null ? undefined : copyOf(bytes),
    );
    return values.length > 0 ? values : [await readLarge(places[0])];
  };
  /**
   * Reads a large value in pieces. If the value changes meanwhile, the result mixes old and new
   * pieces; `Store.recent` detects such a mixture.
   */
  const readLarge = async (place: string): Promise<Uint8Array | undefined> => {
    const pieces: Uint8Array[] = [];
    do {
      const from = pieces.length * partBytes;
      pieces.push(copyOf(await read('GETRANGE', place, from, from + partBytes - 1)));
    } while (pieces.at(-1)!.length === partBytes);
    const bytes = new Uint8Array(Buffer.concat(pieces));
    return bytes.length > 0 ? bytes : undefined;
  };
  const list = async (span: Span): Promise<Entry[]> => {
    const wanted = await keys(span);
    const entries: Entry[] = [];
    for (let i = 0; i < wanted.length; ) {
      const some = wanted.slice(i, i + READ_AT_ONCE);
      const found = await readSome(some.map((key) => RECORD_PREFIX + key));
      i += found.length;
      for (const [j, bytes] of found.entries()) {
        // Skip a record that was removed after its key was read.
        if (bytes) entries.push({ key: some[j], bytes });
      }
    }
    return entries;
  };
  const writeUnfenced = (changes: readonly Change[]): Promise<boolean> =>
    unfenced.runExclusive(async () => {
      const prepared = new Prepared(changes, writes);
      for (let attempt = 1; ; attempt++) {
        try {
          return await log.write('', undefined, prepared);
        } catch (error) {
          if (error instanceof LogFull) throw new StoreError('disk-full', error.message);
          if (error instanceof Refused || attempt === ATTEMPTS) throw unreachable(error);
          await pause(clock, LEASE.writeRetry);
        }
      }
    });
  const writeRoom = async (room: string, changes: readonly Change[]): Promise<void> => {
    const lease = leases.of(room);
    const prepared = new Prepared(changes, writes);
    try {
      if (lease) {
        // Upload the parts before `lease.write`, because the room's other writes wait while
        // `lease.write` runs. If the upload fails, `lease.write` repeats it.
        await lease.whileHeld(prepared.upload().catch(() => {}));
        if (await lease.write(log, prepared)) return;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      onRefused?.(room, error.message);
    }
    throw new StoreError('not-owner', `Another server may be running the room "${room}".`);
  };
  /** Writes changes, in a separate transaction for each room. */
  const change = async (changes: readonly Change[]): Promise<void> => {
    requireOpen();
    const byRoom = new Map<string | undefined, Change[]>();
    // If a record is changed several times, apply only the last change.
    for (const one of new Map(changes.map((each) => [each.key, each])).values()) {
      getOrAdd(byRoom, ROOM_KEY.exec(one.key)?.[1], () => []).push(one);
    }
    const done = await Promise.allSettled(
      [...byRoom].map(([room, some]) =>
        room === undefined ? writeUnfenced(some) : writeRoom(room, some),
      ),
    );
    const failure = done.find((one) => one.status === 'rejected');
    if (failure) throw failure.reason;
  };

  return {
    get: async (key) => (await readSome([RECORD_PREFIX + key]))[0],
    list,
    keys,
    write: ({ put = [], remove = [] }: Write) =>
      change([...put, ...remove.map((key) => ({ key }))]),
    async putNew(entry) {
      requireOpen();
      return writeUnfenced([{ ...entry, isNew: true }]);
    },
    putUnsynced: (key, some) =>
      change([{ key, bytes: some.length > 0 ? encodeMessage(some) : undefined, isApart: true }]),
    async getUnsynced(key) {
      const [bytes] = await readSome([APART_PREFIX + key]);
      return bytes && decodeMessage(parts, bytes);
    },
    async size() {
      return Number((await read('GET', BYTES_KEY)) ?? 0);
    },
    async close() {
      await unfenced.waitForUnlock();
      closed = true;
    },
  };
}

export const unreachable = (error: unknown): StoreError =>
  new StoreError('unreachable', `This server cannot use Valkey: ${(error as Error).message}.`);

/** Copies the bytes of a reply, because the Valkey client's buffer also contains other replies. */
const copyOf = (reply: Reply): Uint8Array => new Uint8Array(reply as Buffer);

/**
 * Schema of a value that consists of several byte arrays. Copies each array to a new buffer, so
 * that the bytes are aligned for other typed arrays, such as Float32Array.
 */
const parts = v.array(
  v.pipe(
    v.custom<Uint8Array>((part) => part instanceof Uint8Array),
    v.transform((part) => new Uint8Array(part)),
  ),
);
