/** Records in Valkey. Those of a room can only be written by its owner. */
import { DEFAULTS } from '../../shared/defaults.ts';
import { type Clock, pause } from '../platform/clock.ts';
import { Mutex } from '../platform/mutex.ts';
import type { Entry, Records, Span, Write } from '../storage/records.ts';
import { StoreError } from '../storage/store-error.ts';
import { Refused } from './cluster-error.ts';
import { LogFull, writeFenced } from './fenced-log.ts';
import type { RoomLeases } from './room-leases.ts';
import type { Reply, ValkeyConnection } from './valkey-connection.ts';
import { APART_PREFIX, BYTES_KEY, INDEX_KEY, RECORD_PREFIX } from './valkey-keys.ts';
import { type Change, Prepared, ValkeyLog } from './valkey-log.ts';

/** Records read at a time. */
const READ_AT_ONCE = 100;
/**
 * The values of the first keys that are no longer than `partBytes` together: an answer of any size
 * would take longer than an answer may. None if the first value alone is longer.
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
const { partBytes } = DEFAULTS.cluster;
/** Attempts of a write that belongs to no room. */
const ATTEMPTS = 3;
/** The kinds of keys that make up a room: `kind/room/…`, `kind/room`. */
const ROOM_KEY =
  /^(?:mark|journal|snapshot|state|cells|day|room|tail|recent|hours|counted|moderation)\/([^/]+)/;

export interface ValkeyRecordsOptions {
  /** For reading. */
  readonly reads: ValkeyConnection;
  /** For writing, so that a tick's journal does not wait for what is read. */
  readonly writes: ValkeyConnection;
  readonly leases: RoomLeases;
  /** Names this process; no other has the same. */
  readonly holder: string;
  readonly clock: Clock;
  /** A room stops, as Valkey refuses its writes. */
  readonly onRefused: (room: string, why: string) => void;
}

/** The room that a record belongs to; undefined: none. */
const roomOf = (key: string): string | undefined => ROOM_KEY.exec(key)?.[1];

/**
 * Opens the records. Writes of one room take effect in their order, but large ones, which are uploaded
 * first, may be overtaken by later small ones. Writes throw StoreError not-owner if this process does not own the room;
 * everything throws StoreError unreachable.
 */
export function openValkeyRecords(options: ValkeyRecordsOptions): Records {
  const { reads, writes, leases, holder, clock, onRefused } = options;
  const log = new ValkeyLog(writes);
  const unfenced = new Mutex();
  let parts = 0;
  let closed = false;

  const read = async (...command: (string | number)[]): Promise<Reply> => {
    if (closed) throw new StoreError('closed', 'The store is closed.');
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
  /** Reads some values, at least the first. */
  const readSome = async (places: readonly string[]): Promise<(Uint8Array | undefined)[]> => {
    const found = await read('EVAL', READ, places.length, ...places, partBytes);
    const values = (found as readonly Reply[]).map((bytes) =>
      bytes === null ? undefined : copyOf(bytes),
    );
    return values.length > 0 ? values : [await readLarge(places[0])];
  };
  /** The pieces may be of several values if another process changes it; see `readRecent`. */
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
        // One that was removed meanwhile is not there any more.
        if (bytes) entries.push({ key: some[j], bytes });
      }
    }
    return entries;
  };
  const writeUnfenced = (changes: readonly Change[], name: string): Promise<boolean> =>
    unfenced.runExclusive(async () => {
      const prepared = new Prepared(changes, name, writes);
      for (let attempt = 1; ; attempt++) {
        try {
          return await log.writeUnfenced(prepared);
        } catch (error) {
          if (error instanceof LogFull) throw new StoreError('disk-full', error.message);
          if (error instanceof Refused || attempt === ATTEMPTS) throw unreachable(error);
          await pause(clock, DEFAULTS.cluster.writeRetry);
        }
      }
    });
  const writeRoom = async (
    room: string,
    changes: readonly Change[],
    name: string,
  ): Promise<void> => {
    const lease = leases.of(room);
    const prepared = new Prepared(changes, name, writes);
    try {
      if (lease) {
        // Before its turn, so that ticks do not wait for it. What fails is done again in its turn.
        await lease.whileHeld(prepared.upload().catch(() => {}));
        if (await writeFenced({ log, room, lease, clock }, prepared)) return;
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      onRefused(room, error.message);
    }
    throw new StoreError('not-owner', `Another server owns the room "${room}", or may own it.`);
  };
  /** Writes each room's changes at once. */
  const change = async (changes: readonly Change[]): Promise<void> => {
    if (closed) throw new StoreError('closed', 'The store is closed.');
    const byRoom = new Map<string | undefined, Change[]>();
    // Of several changes of one record, the last counts.
    for (const one of new Map(changes.map((each) => [each.key, each])).values()) {
      const room = roomOf(one.key);
      byRoom.set(room, [...(byRoom.get(room) ?? []), one]);
    }
    const done = await Promise.allSettled(
      [...byRoom].map(([room, some]) => {
        const name = `${holder}/${++parts}`;
        return room === undefined ? writeUnfenced(some, name) : writeRoom(room, some, name);
      }),
    );
    const failure = done.find((one) => one.status === 'rejected');
    if (failure) throw failure.reason;
  };

  return {
    get: async (key) => (await readSome([RECORD_PREFIX + key]))[0],
    list,
    keys,
    write: ({ put = [], remove = [] }: Write) =>
      change([
        ...put.map(({ key, bytes }) => ({ key, bytes, isApart: false })),
        ...remove.map((key) => ({ key, bytes: undefined, isApart: false })),
      ]),
    async putNew(entry) {
      if (closed) throw new StoreError('closed', 'The store is closed.');
      return writeUnfenced([{ ...entry, isApart: false, isNew: true }], `${holder}/${++parts}`);
    },
    putUnsynced: (key, some) =>
      change([{ key, bytes: some.length > 0 ? joined(some) : undefined, isApart: true }]),
    async getUnsynced(key) {
      const [bytes] = await readSome([APART_PREFIX + key]);
      return bytes && split(bytes);
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

const unreachable = (error: unknown): StoreError =>
  new StoreError('unreachable', `Valkey cannot be used: ${(error as Error).message}.`);

/** A copy of its own, as the client's buffers share their memory. */
const copyOf = (reply: Reply): Uint8Array => new Uint8Array(reply as Buffer);

/** Bytes before each part: its length, little-endian. */
const LENGTH = 4;

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.alloc(parts.reduce((sum, { length }) => sum + LENGTH + length, 0));
  let at = 0;
  for (const part of parts) {
    at = bytes.writeUInt32LE(part.length, at);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function split(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const begin = at + LENGTH;
    at = begin + view.getUint32(at, true);
    parts.push(bytes.slice(begin, at));
  }
  return parts;
}
