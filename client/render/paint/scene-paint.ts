/**
 * Paints every cell in detail, as 4 × 4 or 8 × 8 pixels, with a painter (a trained neural network).
 * `PaintPasses` runs the painter on the GPU. `RoomPaint` chooses the chunks to paint, and keeps the
 * painted chunks in an atlas (a texture).
 */
import type { Planes } from '../../../shared/codec/chunks.ts';
import type { Rect } from '../../../shared/geometry.ts';
import type { PlacedMap } from '../../../shared/painter/genome-map.ts';
import {
  channelsOf,
  MAP_SIDE,
  type PainterLayer,
  type PainterNet,
  painterWork,
} from '../../../shared/painter/net.ts';
import { smoothstep } from '../../../shared/smoothstep.ts';
import {
  beginPass,
  createPrograms,
  createTarget,
  createTexture,
  deleteTarget,
  type Program,
  type Target,
} from '../gl.ts';
import type { View } from '../marks.ts';
import { BATCH, CHUNK, MAP_COLUMNS, MAPS, PROBES, paintSources } from '../shaders/paint.ts';
import { PaintPace, type PaintScale } from './paint-pace.ts';
import { chunksIn, type Job, PaintPlan, STALE } from './paint-plan.ts';

export type PaintPrograms = ReturnType<typeof createPaintPrograms>;

/** Compiles the shaders for a painter. @throws GlError with the compiler's message */
export const createPaintPrograms = (gl: WebGL2RenderingContext, net: PainterNet) =>
  createPrograms(gl, paintSources(channelsOf(net)));

/** Textures with the colours and the owners of all cells, one texel per cell. */
type CellSources = Readonly<Record<string, WebGLTexture>>;

/** A texture of painted chunks at one scale. */
interface Atlas {
  /** Painted pixels per side of a cell. */
  readonly scale: 4 | 8;
  readonly target: Target;
  readonly plan: PaintPlan;
}

/**
 * Creates a texture with the weights of one or two layers, one below the other. The second layer is
 * for cells whose genome the painter has learned. Each row holds the weights of four outputs. Each
 * column holds the weights of one input; the column after the last input holds the biases.
 */
function weightTexture(gl: WebGL2RenderingContext, ...layers: PainterLayer[]): WebGLTexture {
  const width = 1 + Math.max(...layers.map(({ inputs }) => inputs));
  const rows = layers[0].outputs / 4;
  const height = layers.length * rows;
  const data = new Float32Array(4 * width * height);
  for (const [n, { inputs, outputs, kernel, bias }] of layers.entries()) {
    for (let o = 0; o < outputs; o++) {
      const at = 4 * (n * rows + (o >> 2)) * width + (o & 3);
      for (let i = 0; i < inputs; i++) data[at + 4 * i] = kernel[i * outputs + o];
      data[at + 4 * inputs] = bias[o];
    }
  }
  const texture = createTexture(gl, { width, height, format: gl.RGBA32F, filter: gl.NEAREST });
  gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.FLOAT, data);
  return texture;
}

/**
 * The texture into which chunks are painted, and the number of painted pixels per side of a cell.
 */
type PaintTarget = Pick<Atlas, 'target'> & { readonly scale: number };

/** Runs the layers of a painter on the GPU. Create an instance only if `mayPaint` returns true. */
export class PaintPasses {
  private readonly layers: readonly {
    readonly weights: WebGLTexture;
    readonly target: Target;
    readonly groups: number;
  }[];

  /**
   * Where to draw the chunks of a batch, in the layout of `uPlaces` in `CHUNK_VERTEX`. `strip`:
   * places in the textures with the outputs of the layers. `slots`: places in the atlas.
   */
  private readonly strip = new Int32Array(4 * BATCH);
  private readonly slots = new Int32Array(4 * BATCH);

  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly programs: PaintPrograms,
    net: PainterNet,
  ) {
    // The colour gradients, which the last layer computes, need a higher precision than the outputs
    // of other layers.
    const ramps = gl.getExtension('EXT_color_buffer_float') ? gl.RGBA32F : gl.RGBA16F;
    this.layers = net.map((layer, i) => {
      const groups = layer.outputs / 4;
      const size = { width: CHUNK * groups, height: CHUNK * BATCH };
      const format = i < 2 ? gl.RGBA16F : ramps;
      const target = createTarget(gl, { ...size, format, filter: gl.NEAREST });
      const learned = net.learned ? [net.learned.layers[i]] : [];
      return { weights: weightTexture(gl, layer, ...learned), target, groups };
    });
  }

  paint(jobs: readonly Job[], cells: CellSources, into: PaintTarget): void {
    this.gl.disable(this.gl.BLEND);
    for (let i = 0; i < jobs.length; i += BATCH) this.batch(jobs.slice(i, i + BATCH), cells, into);
  }

  private batch(jobs: readonly Job[], cells: CellSources, into: PaintTarget): void {
    const { gl, layers } = this;
    const { first, later, pixel } = this.programs;
    const { uCells, ...known } = cells;
    const { strip, slots } = this;
    const size = CHUNK * into.scale;
    jobs.forEach(({ column, row, slotColumn, slotRow }, i) => {
      const from = [CHUNK * column, CHUNK * row] as const;
      strip.set([0, CHUNK * i, ...from], 4 * i);
      slots.set([size * slotColumn, size * slotRow, ...from], 4 * i);
    });
    const count = jobs.length;
    layers.forEach(({ weights: uWeights, target, groups }, i) => {
      const program = i === 0 ? first : later;
      const { target: from, groups: before } = layers[Math.max(0, i - 1)];
      const sources = i === 0 ? cells : { ...known, uHidden: from.texture };
      beginPass(gl, program, target, { uWeights, ...sources });
      if (i > 0) {
        gl.uniform1i(program.uniform('uGroups'), before);
        gl.uniform1f(program.uniform('uEmpty'), i === layers.length - 1 ? 0 : -1);
      }
      this.draw(program, target, strip.subarray(0, 4 * count), [CHUNK * groups, CHUNK]);
    });
    const { target: ramps, groups } = layers[layers.length - 1];
    const { target, scale } = into;
    beginPass(gl, pixel, target, { uHidden: ramps.texture, uCells });
    gl.uniform1i(pixel.uniform('uGroups'), groups);
    gl.uniform1i(pixel.uniform('uScale'), scale);
    this.draw(pixel, target, slots.subarray(0, 4 * count), [size, size]);
  }

  /**
   * Draws one rectangle per chunk.
   *
   * @param places places of the chunks, in the layout of `uPlaces` in `CHUNK_VERTEX`
   */
  private draw(
    program: Program,
    target: Target,
    places: Int32Array,
    area: readonly [number, number],
  ): void {
    const { gl } = this;
    gl.uniform4iv(program.uniform('uPlaces'), places);
    gl.uniform2i(program.uniform('uArea'), ...area);
    gl.uniform2f(program.uniform('uTarget'), target.width, target.height);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, places.length / 4);
  }

  dispose(): void {
    for (const { weights, target } of this.layers) {
      deleteTarget(this.gl, target);
      this.gl.deleteTexture(weights);
    }
  }
}

/** Keeps the genome maps of organisms in textures on the GPU. */
export class MapTextures {
  /** The textures, by the names of their samplers. */
  readonly textures: Readonly<Record<'uMaps' | 'uTable', WebGLTexture>>;
  /**
   * [MAPS, 4] For each slot: id of the organism whose genome map the slot holds (0 if the slot is
   * empty), x and y of the map's upper left cell, and an unused 0.
   */
  private readonly table = new Int32Array(4 * MAPS);

  /** @param channels number of values per cell in a map */
  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly channels: number,
  ) {
    const width = (MAP_COLUMNS * MAP_SIDE * channels) / 4;
    const height = (MAPS / MAP_COLUMNS) * MAP_SIDE;
    const [filter, table] = [gl.NEAREST, { width: MAPS, height: 1 }];
    this.textures = {
      uMaps: createTexture(gl, { width, height, format: gl.RGBA16F, filter }),
      uTable: createTexture(gl, { ...table, format: gl.RGBA32I, filter }),
    };
    this.upload();
  }

  /**
   * Stores the genome map of an organism. If `map` is undefined, removes the stored map. If other
   * organisms use all `PROBES` possible slots, the organism is painted without a map.
   *
   * @returns the area that must be painted again, in cells; undefined if there is none
   */
  set(id: number, map: PlacedMap | undefined): Rect | undefined {
    const { gl, table, channels } = this;
    const slots = Array.from({ length: PROBES }, (_, n) => (id + n) % MAPS);
    const slot = [id | 0, 0]
      .map((held) => slots.find((one) => table[4 * one] === held))
      .find((found) => found !== undefined);
    if (slot === undefined || map?.side === 0) return undefined;
    const [was, x, y] = table.subarray(4 * slot);
    if (map) {
      const [column, row] = [slot % MAP_COLUMNS, Math.floor(slot / MAP_COLUMNS)];
      const width = (MAP_SIDE * channels) / 4;
      const at = [column * width, row * MAP_SIDE, width, MAP_SIDE] as const;
      gl.bindTexture(gl.TEXTURE_2D, this.textures.uMaps);
      gl.texSubImage2D(gl.TEXTURE_2D, 0, ...at, gl.RGBA, gl.FLOAT, map.values);
      table.set([id, map.x, map.y, 0], 4 * slot);
    } else if (was !== 0) table.fill(0, 4 * slot, 4 * slot + 4);
    this.upload();
    const corner = map ?? { x, y };
    return { x: corner.x, y: corner.y, width: MAP_SIDE, height: MAP_SIDE };
  }

  dispose(): void {
    for (const texture of Object.values(this.textures)) this.gl.deleteTexture(texture);
  }

  private upload(): void {
    const { gl, table } = this;
    gl.bindTexture(gl.TEXTURE_2D, this.textures.uTable);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, MAPS, 1, gl.RGBA_INTEGER, gl.INT, table);
  }
}

/**
 * Ranges of a cell's size on screen, in device pixels. While the camera zooms in, paint fades in
 * over the range `FAR`, and fades out over the range `CLOSE`.
 */
const FAR = [2.2, 3.2] as const;
const CLOSE = [9, 14] as const;
/**
 * Sizes of a cell on screen, in device pixels. A cell below the first size is painted with 4 pixels
 * per side; a cell of at least the second size, with 8. Between these sizes, the number of pixels
 * does not change.
 */
const FINE = [5.2, 6.2] as const;
/** First of the two texture units that only `RoomPaint` uses. */
const OWN_UNIT = 14;
/** Duration of fading all paint in or out, in ms. */
const FADE = 500;

/**
 * Returns the opacity of paint, from 0 to 1.
 *
 * @param size side length of a cell on screen, in device pixels
 */
export const paintedAt = (size: number): number =>
  smoothstep(...FAR, size) * (1 - smoothstep(...CLOSE, size));

const NONE = { scale: 0 as PaintScale, chunks: 0, multiplyAdds: 0 };

/** Paints the cells in view. */
export class RoomPaint {
  /** Whether the paint is still changing, so that the next frame will differ. */
  moves = false;
  /** Statistics of the last frame. */
  figures = NONE;
  private readonly pace = new PaintPace(STALE);
  private readonly passes: PaintPasses;
  private readonly programs: PaintPrograms;
  private readonly maps: MapTextures | undefined;
  /** The part of the room in view in the last frame, in cells. */
  seen: Rect = { x: 0, y: 0, width: 0, height: 0 };
  private atlas: Atlas | undefined;
  /**
   * A new atlas with another scale or size. It replaces `atlas` once it holds all chunks in view.
   */
  private next: Atlas | undefined;
  private shares: WebGLTexture | undefined;
  private planes: Planes | undefined;
  /** Opacity of all paint, 0…1. */
  private presence = 0;
  /** Time at which the last cell finishes its transition to the newest tick, in ms. */
  private until = 0;
  private readonly largest: number;
  private drawnAt = 0;
  /** Cost of painting all chunks that were due in the last frame, in multiply-adds. */
  private due = 0;
  /**
   * While `next` is being filled, frames paint alternately into `atlas` and into `next`. True for a
   * frame that paints into `atlas`.
   */
  private isOldsTurn = false;
  private readonly left = new AbortController();
  private wanted: PaintScale = 8;

  /**
   * @param always whether to paint all chunks that are due, even if this makes frames slow
   * @throws GlError with the compiler's message
   */
  constructor(
    private readonly gl: WebGL2RenderingContext,
    private readonly net: PainterNet,
    private readonly always: boolean,
  ) {
    this.largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
    this.programs = createPaintPrograms(gl, net);
    this.passes = new PaintPasses(gl, this.programs, net);
    this.maps = net.learned && new MapTextures(gl, channelsOf(net));
    // While the page is hidden, it draws no frames. This pause is not slow painting.
    const { signal } = this.left;
    document.addEventListener('visibilitychange', () => this.pace.excuse(), { signal });
  }

  /** Whether the last frame painted chunks. */
  get isBusy(): boolean {
    return this.figures.chunks > 0;
  }

  changed(planes: Planes, areas: readonly Rect[], until: number): void {
    if (this.planes && (this.planes.width !== planes.width || this.planes.height !== planes.height))
      this.forget();
    this.planes = planes;
    this.until = until;
    const now = performance.now();
    for (const each of [this.atlas, this.next]) each?.plan.change(areas, until, now);
  }

  /**
   * Paints the chunks that a frame needs.
   *
   * @param cells textures that the scene's shader reads, by the names of their samplers
   * @param now current time, in ms
   * @param crisp whether the frame shows cells as plain squares, without paint
   * @returns the program with which to draw the scene with paint; undefined if the frame shows no
   *   paint
   */
  begin(cells: CellSources, view: View, now: number, crisp: boolean): Program | undefined {
    const { gl, programs } = this;
    const { originX: x, originY: y, scale } = view;
    this.seen = { x, y, width: view.width * scale, height: view.height * scale };
    if (crisp) {
      this.moves = false;
      this.figures = NONE;
      return undefined;
    }
    this.moves = this.prepare(cells, view, now);
    const { atlas, shares, presence } = this;
    const weight = presence * paintedAt(1 / view.scale);
    if (!atlas || !shares || weight === 0) return undefined;
    const { scene } = programs;
    const { columns, rows } = atlas.plan.atlas;
    gl.useProgram(scene.program);
    // No other pass uses these texture units, so the textures are still bound when the scene is
    // drawn.
    const own = { uAtlas: atlas.target.texture, uShares: shares };
    Object.entries(own).forEach(([name, texture], i) => {
      gl.activeTexture(gl.TEXTURE0 + OWN_UNIT + i);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.uniform1i(scene.uniform(name), OWN_UNIT + i);
    });
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1f(scene.uniform('uPaint'), weight);
    gl.uniform2f(scene.uniform('uAtlasCells'), CHUNK * columns, CHUNK * rows);
    return scene;
  }

  /**
   * Paints the chunks that are due, within the budget.
   *
   * @returns whether the next frame will differ from this one
   */
  private prepare(cells: CellSources, view: View, now: number): boolean {
    const { planes, pace, always } = this;
    if (!planes) return false;
    const { multiplyAdds: spent } = this.figures;
    // `moves` is still the previous frame's value: whether that frame requested this frame
    // immediately.
    pace.frame({ now, follows: this.moves, spent, due: this.due });
    this.due = 0;
    this.figures = NONE;
    const size = 1 / view.scale;
    const near = paintedAt(size);
    if (!always && !pace.isReady) return near > 0;
    if (near > 0) this.choose(size, view, planes);
    if (near > 0 && this.wanted > 0) this.paintDue(cells, now, planes);
    const goal = this.atlas && this.wanted > 0 ? 1 : 0;
    const step = always ? 1 : Math.min(64, now - this.drawnAt) / FADE;
    this.drawnAt = now;
    this.presence += Math.max(-step, Math.min(step, goal - this.presence));
    if (this.wanted === 0 && this.presence === 0) this.forget();
    const fades = this.atlas && near > 0 ? this.upload(this.atlas.plan, now) : false;
    const waits = this.due > this.figures.multiplyAdds || this.next !== undefined;
    return near > 0 && (fades || this.presence !== goal || waits);
  }

  /** Stores the genome map of an organism. If `map` is undefined, removes the stored map. */
  setMap(id: number, map: PlacedMap | undefined): void {
    const area = this.maps?.set(id, map);
    const now = performance.now();
    if (area) for (const each of [this.atlas, this.next]) each?.plan.change([area], now, now);
  }

  dispose(): void {
    this.left.abort();
    this.maps?.dispose();
    this.forget();
    this.passes.dispose();
    for (const { program } of Object.values(this.programs)) this.gl.deleteProgram(program);
  }

  /**
   * Chooses the scale: the number of painted pixels per side of a cell. Starts a new atlas if the
   * current atlas has another scale or is too small.
   */
  private choose(size: number, view: View, planes: Planes): void {
    const most = this.always ? 8 : this.pace.scale;
    const isFine = size >= FINE[(this.next ?? this.atlas)?.scale === 8 ? 0 : 1];
    const chunks = (pixels: number, cells: number, cell: number): number =>
      Math.min(Math.ceil(cells / CHUNK), Math.ceil(pixels / cell / CHUNK) + 2);
    const limitAt = (scale: number): number => Math.floor(this.largest / (CHUNK * scale));
    const across = chunks(view.width, planes.width, size);
    const longest = Math.max(across, chunks(view.height, planes.height, size));
    const largest = [8, 4, 0].find((scale) => longest <= limitAt(scale))!;
    this.wanted = Math.min(most, isFine ? 8 : 4, largest) as PaintScale;
    if (this.wanted === 0) return;
    // The lower the zoom, the more chunks are in view. Make the atlas large enough for the lowest
    // zoom at which the scale is `wanted`.
    const least = this.wanted === 8 ? FINE[0] : FAR[0];
    const limit = limitAt(this.wanted);
    const columns = Math.min(limit, chunks(view.width, planes.width, least));
    const rows = Math.min(limit, chunks(view.height, planes.height, least));
    const suits = (one: Atlas | undefined): boolean =>
      one?.scale === this.wanted &&
      one.plan.atlas.columns >= columns &&
      one.plan.atlas.rows >= rows;
    if (suits(this.atlas)) {
      this.drop(this.next);
      this.next = undefined;
    } else if (!suits(this.next)) {
      this.drop(this.next);
      this.next = this.create(this.wanted, { columns, rows }, planes);
      this.pace.excuse();
    }
  }

  private create(scale: 4 | 8, chunks: { columns: number; rows: number }, planes: Planes): Atlas {
    const { gl } = this;
    const [width, height] = [CHUNK * scale * chunks.columns, CHUNK * scale * chunks.rows];
    const target = createTarget(gl, { width, height });
    for (const axis of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
      gl.bindTexture(gl.TEXTURE_2D, target.texture);
      gl.texParameteri(gl.TEXTURE_2D, axis, gl.REPEAT);
    }
    const plan = new PaintPlan(planes, chunks);
    const { columns, rows } = plan.room;
    this.shares ??= createTexture(gl, {
      ...{ width: columns, height: rows, format: gl.R8, filter: gl.NEAREST },
    });
    const all = { x: 0, y: 0, width: planes.width, height: planes.height };
    plan.change([all], this.until, performance.now());
    return { scale, target, plan };
  }

  private paintDue(cells: CellSources, now: number, planes: Planes): void {
    // While `next` is being filled, `atlas` is on screen and must stay up to date. So paint
    // alternately into `next` and `atlas`.
    this.isOldsTurn = !this.isOldsTurn && this.atlas !== undefined;
    const current = this.isOldsTurn ? this.atlas : (this.next ?? this.atlas);
    if (!current) return;
    const { scale, target, plan } = current;
    const { x, y, width, height } = this.seen;
    const nearby = { x: x - 1, y: y - 1, width: width + 2, height: height + 2 };
    const seen = chunksIn(nearby, plan.room);
    const { cell, pixel } = painterWork(this.net);
    // Paint nothing if the view shows more chunks than the atlas can hold.
    if (seen.width > plan.atlas.columns || seen.height > plan.atlas.rows) return;
    const cost = CHUNK ** 2 * (cell + scale ** 2 * pixel);
    const most = this.always ? Infinity : Math.max(1, Math.floor(this.pace.budget / cost));
    const due = plan.due(seen, planes, now);
    const jobs = due.slice(0, most);
    this.due = due.length * cost;
    const sources = { uCells: cells.uCells, uOwner: cells.uOwner, ...this.maps?.textures };
    if (jobs.length > 0) this.passes.paint(jobs, sources, { target, scale });
    for (const job of jobs) plan.paint(job, now);
    this.figures = { scale, chunks: jobs.length, multiplyAdds: jobs.length * cost };
    if (current !== this.next || !plan.covers(seen)) return;
    if (this.atlas) plan.takeOver(this.atlas.plan);
    this.drop(this.atlas);
    this.atlas = this.next;
    this.next = undefined;
  }

  private upload(plan: PaintPlan, now: number): boolean {
    const { gl } = this;
    const moves = plan.fade(now);
    const { columns, rows } = plan.room;
    gl.bindTexture(gl.TEXTURE_2D, this.shares!);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, columns, rows, gl.RED, gl.UNSIGNED_BYTE, plan.shares);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    return moves;
  }

  private drop(atlas: Atlas | undefined): void {
    if (atlas) deleteTarget(this.gl, atlas.target);
  }

  private forget(): void {
    this.drop(this.atlas);
    this.drop(this.next);
    this.atlas = this.next = undefined;
    if (this.shares) this.gl.deleteTexture(this.shares);
    this.shares = undefined;
    this.presence = 0;
  }
}
