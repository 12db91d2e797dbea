/** A low-priority process that replays part of a room's journal and renders it as a film. */

import { writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { crc32 } from 'node:zlib';
import type { Planes } from '../../shared/codec/chunks.ts';
import type { Rect } from '../../shared/geometry.ts';
import type { JobReason } from '../../shared/host/reasons.ts';
import {
  createMap,
  finished,
  type GenomeMap,
  type PlacedMap,
} from '../../shared/painter/genome-map.ts';
import { type PainterNet, parsePainter, REACH } from '../../shared/painter/net.ts';
import { type Painting, paint } from '../../shared/painter/paint.ts';
import type { FilmTimes } from '../../shared/time-points.ts';
import { createEngine } from '../engine/create-engine.ts';
import { systemClock } from '../platform/clock.ts';
import { getOrAdd } from '../platform/collections.ts';
import { type JournalRange, readRange, timesOf } from '../replay/journal-range.ts';
import { gif, type PictureWriter, png, rgbPng, runReplay } from '../replay/run-replay.ts';
import { speciesOf } from '../rooms/loaded-checkpoint.ts';
import { readFolder } from '../storage/lmdb/open.ts';
import { type Records, StoreError } from '../storage/records.ts';
import { Store } from '../storage/store.ts';
import { fingerprint, loadCheckpoint } from '../vnca/checkpoint.ts';
import type { Room } from '../world/room.ts';
import { TickTimes } from '../world/tick-times.ts';
import { FILMS, type FilmNews, type FilmOrder, withFrames } from './films.ts';

/** A file in a ZIP archive. Its name must be ASCII. */
type ZipEntry = { readonly name: string; readonly bytes: Uint8Array };

/** ZIP version needed to read the archive: 2.0. */
const VERSION = 20;
/** Modification date of all files in an archive: 1980-01-01, the earliest date in ZIP. */
const DAY = 0x0021;

/**
 * Writes the fields that a file's local header and its entry in the directory have in common. The
 * compression method stays 0: not compressed.
 */
function common({ name, bytes }: ZipEntry): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(VERSION, 0);
  header.writeUInt16LE(DAY, 8);
  header.writeUInt32LE(crc32(bytes), 10);
  header.writeUInt32LE(bytes.length, 14);
  header.writeUInt32LE(bytes.length, 18);
  header.writeUInt16LE(name.length, 22);
  return header;
}

/** Yields a ZIP archive part by part. An archive may have at most 4 GiB and 65,535 files. */
export function* zip(entries: Iterable<ZipEntry>): Generator<Uint8Array> {
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const fields = common(entry);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, name]);
    yield local;
    yield entry.bytes;
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\u0000'), fields, rest, name]));
    offset += local.length + entry.bytes.length;
  }
  const list = Buffer.concat(directory);
  yield list;
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  yield end;
}

/** Side length of the square tiles that are painted separately, in cells. */
const TILE = 16;
/** Maximum distance at which a cell affects how another cell is painted, in cells. */
const AROUND = (REACH - 1) / 2;

type MapOf = NonNullable<Painting['mapOf']>;
type Organisms = Pick<Room, 'genomesOf' | 'viewOf'>;

/** Paints consecutive pictures of one room. Repaints only the tiles that have changed. */
export class FilmPainter {
  /** The previous picture: its pixels, and the cells from which it was painted. */
  private before: { readonly planes: Planes; readonly pixels: Uint8Array } | undefined;
  private spent = 0;
  /** Maps of organisms' genomes, by the latents and labels from which they were computed. */
  private readonly maps = new Map<string, { readonly map: GenomeMap | undefined }>();

  /**
   * @param scale side length of a cell, in pixels
   * @param limit maximum total time for painting all pictures, in ms
   * @param now returns the current time, in ms
   */
  constructor(
    private readonly net: PainterNet,
    private readonly scale: number,
    private readonly limit: number,
    private readonly now: () => number,
  ) {}

  /**
   * Paints a picture on a black background.
   *
   * @param planes the colours and owners of the cells; must have the same size in each call
   * @param room the organisms in `planes`. If absent, the picture depends only on `planes`
   * @returns [scale·height, scale·width, 3] RGB, valid until the next call; undefined once the
   *   time limit is reached
   */
  draw(planes: Planes, room?: Organisms): Uint8Array | undefined {
    const { limit, now, scale } = this;
    if (this.spent >= limit) return undefined;
    const { width, height, rgba, owner } = planes;
    const { before } = this;
    const pixels = before?.pixels ?? new Uint8Array(3 * width * height * scale ** 2);
    const begun = now();
    const maps = this.mapsOf(room);
    for (let y = 0; y < height; y += TILE) {
      for (let x = 0; x < width; x += TILE) {
        const size = { width: Math.min(TILE, width - x), height: Math.min(TILE, height - y) };
        const tile = { x, y, ...size };
        if (before && isSame(before.planes, planes, around(tile, planes))) continue;
        if (this.spent + now() - begun >= limit) {
          this.spent = limit;
          return undefined;
        }
        this.paint(planes, tile, pixels, maps);
      }
    }
    this.spent += now() - begun;
    this.before = { planes: { width, height, rgba: rgba.slice(), owner: owner.slice() }, pixels };
    return pixels;
  }

  /**
   * Returns a function that finds the map of an organism's genomes by the organism's id. The map is
   * undefined while the organism is still growing.
   */
  private mapsOf(room: Organisms | undefined): MapOf {
    const found = new Map<number, { readonly map: PlacedMap | undefined }>();
    const place = (id: number): PlacedMap | undefined => {
      const [genomes, view] = [room?.genomesOf(id), room?.viewOf(id)];
      if (!genomes || !view || view.phase === 'growing') return undefined;
      const key = [...genomes.latents, genomes.labels].join();
      const made = () => ({ map: finished(createMap(this.net, genomes)) });
      const { map } = getOrAdd(this.maps, key, made);
      return map && { ...map, x: view.x - map.side / 2, y: view.y - map.side / 2 };
    };
    return (id) => getOrAdd(found, id, () => ({ map: place(id) })).map;
  }

  private paint(
    { width, height, rgba, owner }: Planes,
    area: Rect,
    pixels: Uint8Array,
    mapOf: MapOf,
  ): void {
    const { net, scale } = this;
    const painted = paint({ cells: rgba, owners: owner, width, height, net, scale, area, mapOf });
    const row = area.width * scale;
    for (let v = 0; v < area.height * scale; v++) {
      let to = 3 * ((area.y * scale + v) * width * scale + area.x * scale);
      // On a black background, premultiplied colours need no alpha. Copy only red, green and blue.
      for (let from = 4 * v * row; from < 4 * (v + 1) * row; from += 4, to += 3) {
        pixels[to] = painted[from];
        pixels[to + 1] = painted[from + 1];
        pixels[to + 2] = painted[from + 2];
      }
    }
  }
}

/** Extends a tile by the surrounding cells that affect how the tile is painted. */
function around({ x, y, width, height }: Rect, grid: Pick<Planes, 'width' | 'height'>): Rect {
  const [left, top] = [Math.max(0, x - AROUND), Math.max(0, y - AROUND)];
  return {
    ...{ x: left, y: top },
    width: Math.min(grid.width, x + width + AROUND) - left,
    height: Math.min(grid.height, y + height + AROUND) - top,
  };
}

function isSame(a: Planes, b: Planes, { x, y, width, height }: Rect): boolean {
  for (let row = y; row < y + height; row++) {
    const [from, to] = [row * a.width + x, row * a.width + x + width];
    for (let i = from; i < to; i++) if (a.owner[i] !== b.owner[i]) return false;
    for (let i = 4 * from; i < 4 * to; i++) if (a.rgba[i] !== b.rgba[i]) return false;
  }
  return true;
}

/**
 * Lists the ticks at which `runReplay` makes a picture. Excludes the tick of the snapshot from
 * which the replay starts.
 *
 * @param every number of ticks between pictures
 */
function pictureTicks({ from, to, snapshot }: JournalRange, every: number): number[] {
  const ticks: number[] = [];
  for (let tick = from; tick < to; tick += every) if (tick > snapshot.tick) ticks.push(tick);
  if (to > snapshot.tick) ticks.push(to);
  return ticks;
}

/**
 * Selects a few of the pictures' times, enough to interpolate the rest.
 *
 * @param dates the times of all pictures (wall clock, ms), never decreasing
 */
function filmTimes(dates: readonly number[]): FilmTimes {
  const times = new TickTimes();
  for (const [tick, at] of dates.entries()) times.add({ tick, at });
  return times.known.map(({ tick: frame, at }) => ({ frame, at }));
}

type Encode = (planes: Planes, room: Organisms) => Promise<Buffer>;

/**
 * Maximum total time for painting a film's pictures, in ms. Once this time is used up, the
 * remaining pictures show enlarged cells.
 */
const PAINTING_LIMIT = 600_000;
/**
 * Range of scales (side length of a cell, in pixels) at which pictures are painted. Painting makes
 * no visible difference at smaller scales, and looks coarse at larger scales.
 */
const PAINTED_SCALES = { least: 3, most: 9 };

/** Maximum interval between progress reports, in ms. Each per cent of progress is also reported. */
const SIGN = 10_000;

const say = (news: FilmNews): void => {
  process.send?.(news);
};

async function openRecords(records: FilmOrder['records']): Promise<Records> {
  if ('folder' in records) return readFolder(records.folder);
  // Import the cluster code only for films of rooms that are stored in a cluster.
  const { readCluster } = await import('../cluster/open-cluster.ts');
  return readCluster(records.cluster, systemClock);
}

/** Makes a film. @returns the number of pictures */
async function make(order: FilmOrder): Promise<number> {
  const store = new Store(await openRecords(order.records));
  const { room, now } = order;
  const { range, every } = await readRange(store, room, { from: order.from, to: order.to })
    .then(async (found) => {
      const ticks = found.to - found.from;
      const apart = Math.max(1, Math.ceil(ticks / (FILMS.rate * order.seconds - 1)));
      const shown = pictureTicks(found, apart);
      // The times may depend on a part of the journal that the pictures do not need. If this part
      // is damaged, make the film without times.
      const dates = await timesOf(store, room, shown, now).catch(() => null);
      const times = filmTimes(dates ?? []);
      say({ from: times[0]?.at ?? null, times, total: Math.max(1, shown.length) });
      return { range: found, every: apart };
    })
    .finally(() => store.close());
  const checkpoint = await loadCheckpoint(order.checkpoint);
  if (fingerprint(checkpoint) !== range.room.checkpoint.hash) {
    const text = 'The organisms of the room were grown from another checkpoint.';
    throw new StoreError('other-checkpoint', text);
  }
  const { engine: backend } = order;
  const engine = await createEngine({ checkpoints: [checkpoint], backend, threads: 1 });
  const least = Math.min(range.room.width, range.room.height);
  const scale = Math.max(1, Math.ceil(FILMS.side / least));
  const encode = encoderOf(checkpoint.painter, scale);
  const pictures = withFrames(
    order.out,
    order.kind === 'gif'
      ? gif(order.out, Math.round(1000 / FILMS.rate), encode)
      : zipped(order.out, order.room, encode),
  );
  const begin = range.snapshot.tick;
  let told = { progress: 0, at: systemClock.now() };
  try {
    await runReplay(range, {
      ...{ engine, species: speciesOf(checkpoint), clock: systemClock },
      ...{ rate: Infinity, every, pictures },
      onTick: (tick) => {
        const progress = (tick - begin) / Math.max(1, range.to - begin);
        const at = systemClock.now();
        if (progress - told.progress < 0.01 && at - told.at < SIGN) return;
        told = { progress, at };
        // Reserve the last 5 % of the progress for writing the file.
        say({ progress: 0.95 * progress, frames: pictures.count });
      },
    });
    await pictures.end();
    return pictures.count;
  } finally {
    await engine.close();
  }
}

/**
 * Creates a function that encodes pictures as PNGs. Pictures are painted if the checkpoint has a
 * painter, the scale is within `PAINTED_SCALES`, and `PAINTING_LIMIT` is not used up. Other
 * pictures show enlarged cells.
 */
function encoderOf(file: Buffer | undefined, scale: number): Encode {
  const { least, most } = PAINTED_SCALES;
  const painter =
    file && scale >= least && scale <= most
      ? new FilmPainter(parsePainter(file), scale, PAINTING_LIMIT, systemClock.now)
      : undefined;
  return async (planes, room) => {
    const painted = painter?.draw(planes, room);
    if (!painted) return png(planes, scale);
    return rgbPng(painted, { width: scale * planes.width, height: scale * planes.height });
  };
}

/** Creates a writer that collects pictures as PNGs and writes them to one ZIP file. */
function zipped(file: string, name: string, encode: Encode): PictureWriter {
  const entries: ZipEntry[] = [];
  return {
    async add(planes, tick, room) {
      const bytes = await encode(planes, room);
      entries.push({ name: `${name}-${`${tick}`.padStart(9, '0')}.png`, bytes });
    },
    async end() {
      await writeFile(file, zip(entries));
      return file;
    },
  };
}

const REASONS: Partial<Record<StoreError['reason'], JobReason>> = {
  'not-kept': 'not-kept',
  'other-checkpoint': 'other-checkpoint',
  'other-version': 'damaged',
  damaged: 'damaged',
};

const reasonOf = (error: unknown): JobReason =>
  (error instanceof StoreError && REASONS[error.reason]) || 'failed';

// Run at low priority, so that the server's rooms take precedence.
setPriority(10);
process.once('message', (message) => {
  make(message as FilmOrder)
    .then(
      (frames) => say({ done: true, frames }),
      (error: Error) => say({ error: reasonOf(error), message: error.message }),
    )
    .finally(() => process.disconnect());
});
process.once('disconnect', () => process.exit());
