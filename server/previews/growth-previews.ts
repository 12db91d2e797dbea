/**
 * Creates previews: films that show visitors what grows from a seed before they plant it. Also
 * encodes visitors' drawings to latents. Previews grow in the pauses between ticks, and delay a
 * tick by at most one step.
 */
import { setImmediate } from 'node:timers/promises';
import { MAX_DRAWING } from '../../shared/limits.ts';
import { inSlices } from '../../shared/painter/still.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { canRefine, type Refinement } from '../autodiff/refine-latent.ts';
import type { Engine, PatchId, Readout } from '../engine/engine.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { FairQueue } from '../platform/queues.ts';
import type { Checkpoint } from '../vnca/checkpoint.ts';
import type { Genomes } from '../vnca/chimera.ts';
import { createEncoder, type Encoder } from '../vnca/encoder.ts';
import { type Genotype, genomesOf } from '../world/organisms/grafts.ts';
import { growthStep, type Species } from '../world/species.ts';
import { LatentRefiner } from './latent-refiner.ts';

/** Limits of previews. Times are in ms. */
export const PREVIEWS = {
  /** Maximum number of seeds that grow in parallel. */
  growing: 8,
  /** Maximum number of waiting previews: in total (`maxWaiting`), and per participant. */
  maxWaiting: 64,
  maxWaitingEach: 4,
  /** Maximum number of cached films. The least recently used films are removed first. */
  films: 256,
  /** Maximum number of pictures in a preview. */
  frames: 24,
  /**
   * Minimum time between the end of a preview step and the next tick, so that ticks are not
   * delayed.
   */
  reserve: 8,
  /**
   * If this many successive pauses between ticks are too short for a preview step, a step runs
   * anyway.
   */
  patience: 3,
  /**
   * Time limits for refining. `refining`: for one drawing. `refiningAll`: for all waiting drawings
   * together, beginning when the latest drawing arrives.
   */
  refining: 1_000,
  refiningAll: 3_500,
  /** Maximum number of drawings that wait to be encoded. */
  maxDrawings: 32,
  /** How long the encoder works before it yields to the event loop. */
  slice: 2,
} as const;
type PreviewSettings = { readonly [K in keyof typeof PREVIEWS]: number };

export interface GrowthFilm {
  /** Side of each picture, in pixels: one pixel per cell of the grown organism. */
  readonly side: number;
  readonly frames: number;
  /** PNG with all pictures side by side. The last picture shows the grown organism. */
  readonly png: Uint8Array;
}

/**
 * Draws a film of a seed's growth.
 *
 * @param readouts the organism's cells at several steps, in order of growth
 * @param side side of each picture, in pixels
 * @param threshold minimum aliveness of the cells that are shown, 0…255
 */
export async function createGrowthFilm(
  readouts: readonly Pick<Readout, 'stage' | 'rgba' | 'presence'>[],
  side: number,
  threshold: number,
): Promise<GrowthFilm> {
  const frames = readouts.length;
  const width = frames * side;
  // The pixels of all pictures, with straight alpha, as PNG requires.
  const pixels = new Uint8Array(4 * side * width);
  readouts.forEach(({ stage, rgba, presence }, frame) => {
    const inset = (side - stage) >> 1;
    for (let cell = 0; cell < presence.length; cell++) {
      const alpha = rgba[4 * cell + 3];
      if (presence[cell] < threshold || alpha === 0) continue;
      const [x, y] = [inset + (cell % stage), inset + Math.floor(cell / stage)];
      const to = 4 * (y * width + frame * side + x);
      for (let c = 0; c < 3; c++) {
        pixels[to + c] = Math.min(255, Math.round((rgba[4 * cell + c] * 255) / alpha));
      }
      pixels[to + 3] = alpha;
    }
  });
  const { default: sharp } = await import('sharp');
  const raw = { width, height: side, channels: 4 } as const;
  const png = await sharp(pixels, { raw }).png().toBuffer();
  return { side, frames, png: new Uint8Array(png) };
}

/**
 * Extracts a film's last picture, which shows the grown organism.
 *
 * @returns [side, side, 4] RGBA, with straight alpha
 */
export async function grownOf({ side, frames, png }: GrowthFilm): Promise<Buffer> {
  // Load Sharp only when it is needed, because it is a large native library.
  const { default: sharp } = await import('sharp');
  const last = { left: (frames - 1) * side, top: 0, width: side, height: side };
  return sharp(png).extract(last).ensureAlpha().raw().toBuffer();
}

export interface GrowthPreviewsOptions {
  readonly engine: Pick<Engine, 'plant' | 'step' | 'dispose'>;
  readonly species: Species;
  readonly newPatch: () => PatchId;
  /** Returns the current time in ms, by the clock that schedules ticks. */
  readonly now: () => number;
  readonly settings: PreviewSettings;
}

interface GrowingSeed {
  readonly key: string;
  readonly latent: Float32Array;
  readonly genomes: Genomes;
  readonly patch: PatchId;
  age: number;
  readonly shots: Readout[];
  readonly done: (film: Promise<GrowthFilm>) => void;
}

/**
 * Factor by which the estimated duration of a step shrinks after a faster step. The estimate never
 * becomes shorter than the last step.
 */
const COST_DECAY = 0.9;

export class GrowthPreviews {
  /** Films, finished or not, by the genomes of their seeds. The most recently used comes last. */
  private readonly films = new Map<string, Promise<GrowthFilm>>();
  private readonly waiting: FairQueue<GrowingSeed>;
  private readonly growing: GrowingSeed[] = [];
  /** Estimated duration of a step, in ms. */
  private cost = 0;
  /** Number of consecutive pauses between ticks that were too short for a step. */
  private skippedPauses = 0;
  private busy: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly options: GrowthPreviewsOptions) {
    this.waiting = new FairQueue(options.settings.maxWaiting);
  }

  get size(): number {
    return this.waiting.size + this.growing.length;
  }

  /**
   * Grows a seed, or returns its cached film.
   *
   * @param source identifies the requester, such as an address. Waiting seeds of different sources
   *   take turns
   * @throws Refusal 'room-busy' if too many seeds are waiting; 'shutting-down'
   */
  grow(seed: Genotype, source = ''): Promise<GrowthFilm> {
    const { films } = this;
    const { settings, newPatch } = this.options;
    const genomes = genomesOf(seed);
    const key = [...genomes.latents, genomes.labels].join();
    const known = films.get(key);
    if (known) {
      films.delete(key);
      films.set(key, known);
      return known;
    }
    if (this.stopped) return Promise.reject(new Refusal('shutting-down'));
    const film = new Promise<GrowthFilm>((done) => {
      const grown = { key, latent: seed.latent.slice(), genomes, patch: newPatch() };
      const dropped = this.waiting.add(source, { ...grown, age: 0, shots: [], done });
      dropped?.done(Promise.reject(new Refusal('room-busy', 'previews')));
    });
    films.set(key, film);
    // Remove a failed film, so that it can be requested again.
    film.catch(() => films.get(key) === film && films.delete(key));
    for (const oldest of films.keys()) {
      if (films.size <= settings.films) break;
      films.delete(oldest);
    }
    return film;
  }

  /**
   * Grows seeds in the pause between two ticks.
   *
   * @param until when the next tick is due, in ms of the clock `now`
   */
  pause(until: number): void {
    if (this.busy || this.size === 0 || this.stopped) return;
    const { now, settings } = this.options;
    const fits = (): boolean => now() + this.cost + settings.reserve <= until;
    const hurried = !fits();
    // If this pause is too short for a step, skip it, but fewer than `patience` times in
    // succession, so that previews finish.
    if (hurried && ++this.skippedPauses < settings.patience) return;
    this.skippedPauses = 0;
    const work = async (): Promise<void> => {
      do await this.round(hurried ? this.options.species.side ** 2 : Infinity);
      while (this.size > 0 && !this.stopped && fits());
    };
    this.busy = work()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.busy = undefined;
      });
  }

  /**
   * Stops growing seeds, and rejects all pending requests. Resolves when the current step has
   * ended.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.busy;
    this.fail(new Refusal('shutting-down'));
  }

  /**
   * Grows each growing seed by one step, as far as `cells` permits.
   *
   * @param cells maximum number of cells to compute. The first seed always takes a step
   */
  private async round(cells: number): Promise<void> {
    const { engine, species, settings, now } = this.options;
    const start = now();
    const fresh = this.waiting.take(settings.growing - this.growing.length);
    this.growing.push(...fresh);
    if (fresh.length > 0) {
      const { checkpoint } = species;
      await engine.plant(
        fresh.map(({ patch, latent, genomes }) => ({ patch, checkpoint, latent, genomes })),
      );
    }
    let left = cells;
    const stepped = this.growing.filter(({ age }, i) => {
      left -= growthStep(species, age).stage ** 2;
      return left >= 0 || i === 0;
    });
    const readouts = await engine.step(
      stepped.map(({ patch, age }) => ({ patch, divide: growthStep(species, age).divide })),
    );
    const steps = species.schedule.length;
    const every = Math.ceil(steps / settings.frames);
    const grown: GrowingSeed[] = [];
    stepped.forEach((seed, i) => {
      seed.age++;
      if ((steps - seed.age) % every === 0) seed.shots.push(readouts[i]);
      if (seed.age === steps) grown.push(seed);
    });
    for (const seed of grown) {
      this.growing.splice(this.growing.indexOf(seed), 1);
      seed.done(createGrowthFilm(seed.shots, species.side, species.threshold));
    }
    if (grown.length > 0) await engine.dispose(grown.map(({ patch }) => patch));
    this.cost = Math.max(now() - start, this.cost * COST_DECAY);
  }

  /** Rejects the requests for all seeds that are growing or waiting. */
  private fail(error: unknown): void {
    const lost = [...this.growing.splice(0), ...this.waiting.take()];
    // Refuse with 'room-busy' even if the engine has failed. The rooms handle that failure.
    const refusal = error instanceof Refusal ? error : new Refusal('room-busy', String(error));
    for (const { done } of lost) done(Promise.reject(refusal));
    if (this.stopped) return;
    this.options.engine.dispose(lost.map(({ patch }) => patch)).catch(() => undefined);
  }
}

interface WaitingDrawing {
  readonly image: Float32Array;
  resolve(latent: Float32Array): void;
  reject(error: unknown): void;
}

/**
 * Encodes drawings to latents, one at a time, in short time slices. Refines each latent if there is
 * enough time.
 */
export class DrawingEncoder {
  private readonly waiting: FairQueue<WaitingDrawing>;
  private busy = false;
  /** Arrival time of the latest drawing, in ms of `options.now`. */
  private cameAt = 0;

  /**
   * @param options.refine refines the latent of an encoded drawing; optional
   * @param options.now returns the current time, in ms
   * @param options.pause lets other work of this thread run; called between time slices
   */
  constructor(
    private readonly options: {
      readonly encoder: Encoder;
      readonly settings: Pick<
        PreviewSettings,
        'maxDrawings' | 'slice' | 'refining' | 'refiningAll'
      >;
      readonly refine?: (refinement: Refinement) => Promise<Float32Array>;
      readonly now: () => number;
      readonly pause: () => Promise<void>;
    },
  ) {
    this.waiting = new FairQueue(options.settings.maxDrawings);
  }

  /**
   * Encodes a drawing.
   *
   * @param pixels [side, side, channels], one byte each
   * @param source identifies the sender, such as an address. Waiting drawings of different sources
   *   take turns
   * @returns the drawing's latent
   * @throws Refusal 'bad-drawing' if the drawing is empty or has the wrong size; 'room-busy' if too
   *   many drawings are waiting; 'shutting-down'
   */
  async encode(pixels: Uint8Array, source = ''): Promise<Float32Array> {
    const { encoder } = this.options;
    if (pixels.length !== encoder.size) {
      throw new Refusal('bad-drawing', `${pixels.length} bytes, not ${encoder.size}`);
    }
    if (pixels.every((value) => value === 0)) throw new Refusal('bad-drawing', 'nothing is drawn');
    const image = Float32Array.from(pixels, (byte) => byte / 255);
    this.cameAt = this.options.now();
    return new Promise((resolve, reject) => {
      const dropped = this.waiting.add(source, { image, resolve, reject });
      dropped?.reject(new Refusal('room-busy', 'drawings'));
      void this.encodeWaiting();
    });
  }

  stop(): void {
    for (const { reject } of this.waiting.take()) reject(new Refusal('shutting-down'));
  }

  private async encodeWaiting(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let [next] = this.waiting.take(1); next; [next] = this.waiting.take(1)) {
      await this.latentOf(next.image).then(next.resolve, next.reject);
    }
    this.busy = false;
  }

  private async latentOf(image: Float32Array): Promise<Float32Array> {
    const { encoder, settings, refine, now, pause } = this.options;
    const { slice } = settings;
    const latent = await inSlices(encoder.encode(image), { slice, now, pause });
    if (!refine) return latent;
    const left = this.cameAt + settings.refiningAll - now();
    const budget = Math.min(settings.refining, left / (1 + this.waiting.size));
    return budget > 0 ? refine({ image, latent, budget }) : latent;
  }
}

/** Previews of seeds, and the encoding of drawings, for one checkpoint. */
export interface SeedPreviews {
  readonly growth: GrowthPreviews;
  /** The kind of drawing that the checkpoint can encode; undefined if none. */
  readonly draws: 'ink' | 'colour' | undefined;
  grow: GrowthPreviews['grow'];
  encode?: DrawingEncoder['encode'];
  prepareToDraw?(): void;
  /** Rejects all pending requests. Resolves when the current step of growth has ended. */
  stop(): Promise<void>;
  /** Waits until the thread that refines drawings has exited. Call `stop` first. */
  close(): Promise<void>;
}

export function openSeedPreviews(
  checkpoint: Checkpoint,
  options: Pick<GrowthPreviewsOptions, 'species' | 'engine' | 'newPatch'> & {
    readonly clock: Clock;
    readonly log: Log;
  },
): SeedPreviews {
  const { clock, log, ...context } = options;
  const settings = PREVIEWS;
  const growth = new GrowthPreviews({ ...context, settings, now: () => clock.now() });
  const grow = growth.grow.bind(growth);
  const encoder = createEncoder(checkpoint);
  // Encoders with three channels are made for photographs, not for drawings.
  if (!encoder || encoder.channels === 3 || encoder.size > MAX_DRAWING) {
    return { growth, draws: undefined, grow, stop: () => growth.stop(), close: async () => {} };
  }
  const { latentBounds: bounds } = context.species;
  const onFailure = (why: string): void =>
    log.warn(
      'drawing-not-refined',
      `The seed of a visitor's drawing could not be refined, so the organism may look less like the drawing: ${why}.`,
    );
  const refiner = canRefine(checkpoint.card)
    ? new LatentRefiner(checkpoint, { clock, bounds, patience: settings.refiningAll, onFailure })
    : undefined;
  const drawings = new DrawingEncoder({
    ...{ encoder, settings, now: () => performance.now(), pause: setImmediate },
    ...(refiner && { refine: (refinement) => refiner.refine(refinement) }),
  });
  return {
    ...{ growth, grow, draws: encoder.channels === 1 ? 'ink' : 'colour' },
    encode: drawings.encode.bind(drawings),
    prepareToDraw: () => void refiner?.prepare(),
    stop: async () => {
      drawings.stop();
      refiner?.stop();
      await growth.stop();
    },
    close: async () => refiner?.close(),
  };
}
