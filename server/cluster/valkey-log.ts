/**
 * The fenced log in Valkey: each write is a script that checks the epoch first. What is large goes
 * before it, in parts under keys that nobody reads, which the script then renames.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import { type FencedLog, LogFull, type Position } from './fenced-log.ts';
import type { Argument, Reply, ValkeyConnection } from './valkey-connection.ts';
import {
  APART_PREFIX,
  BYTES_KEY,
  fenceKey,
  INDEX_KEY,
  PART_PREFIX,
  RECORD_PREFIX,
} from './valkey-keys.ts';

const { partBytes, roomBytes, answer } = DEFAULTS.cluster;
/** Parts that are not published are gone after this time, ms. */
const PART_LIFE = 600_000;

/** One change of a write. Without bytes, it removes what is there. */
export interface Change {
  readonly key: string;
  readonly bytes: Uint8Array | undefined;
  /** Whether it is kept apart from the records. */
  readonly isApart: boolean;
  /** Whether nothing is written if there is a record of this key already. */
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

/** Changes that are written together, once their parts are there. */
export class Prepared {
  private readonly isLarge: readonly boolean[];
  private uploads = 0;
  private uploaded: Promise<unknown> | undefined;

  /**
   * @param name of the parts, which no other write has
   * @param connection takes the parts
   */
  constructor(
    readonly changes: readonly Change[],
    private readonly name: string,
    private readonly connection: ValkeyConnection,
  ) {
    const all = changes.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
    this.isLarge = changes.map(
      ({ bytes }) => all > partBytes && bytes !== undefined && bytes.length > partBytes / 100,
    );
  }

  /** The key of a change's parts; undefined if it is small. */
  partOf(change: number): string | undefined {
    // A late command of an earlier upload must not change the parts of the next.
    return this.isLarge[change]
      ? `${PART_PREFIX}${this.name}/${this.uploads}/${change}`
      : undefined;
  }

  /** Uploads the parts, unless they are there. @throws LogFull; Error: no answer */
  upload(): Promise<unknown> {
    this.uploaded ??= this.uploadParts().catch((error: unknown) => {
      this.uploaded = undefined;
      throw error;
    });
    return this.uploaded;
  }

  /** The parts may be gone: they are uploaded again before the next write. */
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

/** Whether Valkey says that it is full. @throws LogFull; what the work throws */
async function full<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (/^OOM /.test((error as Error).message)) throw new LogFull('Valkey is full.');
    throw error;
  }
}

/** The log of all rooms, and of what belongs to no room. */
export class ValkeyLog implements FencedLog<Prepared> {
  constructor(private readonly connection: ValkeyConnection) {}

  write(room: string, position: Position, prepared: Prepared): Promise<boolean> {
    return this.append(room, position, prepared);
  }

  /**
   * Writes what belongs to no room.
   *
   * @returns false: it was to be new, and is not
   * @throws LogFull; Refused; Error: no answer
   */
  writeUnfenced(prepared: Prepared): Promise<boolean> {
    return this.append('', undefined, prepared);
  }

  private async append(
    room: string,
    position: Position | undefined,
    prepared: Prepared,
  ): Promise<boolean> {
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
      // Sent together: the second waits until the first is on the disk.
      const [written, durable] = await Promise.all(
        [
          this.connection.run(WRITE, [fenceKey(room), INDEX_KEY, BYTES_KEY], ...limits, ...changes),
          this.connection.ask('WAITAOF', 1, 0, Math.floor(answer / 2)),
        ].map((one) => full(one)),
      );
      if (written === 0) return false;
      if (written === 2) {
        throw new LogFull(`It needs more than ${Math.floor(roomBytes / 2 ** 20)} MiB.`);
      }
      if (written === 3) throw new Error('Valkey has lost what was uploaded');
      // When its time is over, it says how many disks have it instead of failing.
      const [disks] = durable as readonly Reply[];
      if (Number(disks) < 1) throw new Error('Valkey does not write to its disk');
      return true;
    } catch (error) {
      if (!(error instanceof LogFull)) prepared.discard();
      throw error;
    }
  }
}
