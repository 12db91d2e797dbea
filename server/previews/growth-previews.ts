/**
 * Grows seeds outside any room, so that visitors can see what a seed becomes before they plant it.
 * Rooms have priority, so previews use the pauses between ticks and delay a tick by at most one
 * step.
 */
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Engine, PatchId, Readout } from '../engine/engine.ts';
import { FairQueue } from '../platform/queues.ts';
import type { Genomes } from '../vnca/chimera.ts';
import type { Genotype } from '../world/create-latent.ts';
import { genomesOf } from '../world/organisms/grafts.ts';
import { growthStep, type Species } from '../world/species.ts';

/** Limits of previews; times are in ms unless they say otherwise. */
export const PREVIEWS = {
  /** Maximum number of previews that grow in parallel. */
  growing: 8,
  /** Maximum number of waiting previews: of all rooms together, and per participant. */
  maxWaiting: 64,
  maxWaitingEach: 4,
  /** Maximum number of cached previews. Beyond it, the least recently used are dropped. */
  films: 256,
  /** Maximum number of pictures in a preview. */
  frames: 24,
  /** Previews stop growing this long before the next tick, so as not to delay the tick, in ms. */
  reserve: 8,
  /** Number of ticks after which one preview step runs even without idle time. */
  patience: 3,
  /** Maximum time to refine one drawing, and to refine all waiting drawings, in ms. */
  refining: 1_000,
  refiningAll: 3_500,
  /** Maximum number of drawings that wait for the encoder. */
  maxDrawings: 32,
  /** Time that the encoder works before it yields, in ms. */
  slice: 2,
} as const;
export type PreviewSettings = { readonly [K in keyof typeof PREVIEWS]: number };

/** Pictures of a seed's growth. */
export interface GrowthFilm {
  /** Side of a picture in pixels, equal to the side of the grown organism in cells. */
  readonly side: number;
  readonly frames: number;
  /** `frames` pictures side by side; the last one shows the grown organism. */
  readonly png: Uint8Array;
}

/**
 * Draws a film of growth.
 *
 * @param readouts in order of growth
 * @param threshold minimum aliveness, 0…255, for a cell to be shown
 */
export async function createGrowthFilm(
  readouts: readonly Pick<Readout, 'stage' | 'rgba' | 'presence'>[],
  side: number,
  threshold: number,
): Promise<GrowthFilm> {
  const frames = readouts.length;
  const width = frames * side;
  // Straight alpha, as PNG requires.
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

/** Returns the grown organism of a film: RGBA [side, side, 4], with straight alpha. */
export async function grownOf({ side, frames, png }: GrowthFilm): Promise<Buffer> {
  // Sharp is a large native library, so it is loaded only when needed.
  const { default: sharp } = await import('sharp');
  const last = { left: (frames - 1) * side, top: 0, width: side, height: side };
  return sharp(png).extract(last).ensureAlpha().raw().toBuffer();
}

export interface GrowthPreviewsOptions {
  readonly engine: Pick<Engine, 'plant' | 'step' | 'dispose'>;
  readonly species: Species;
  /** Returns an unused patch id. */
  readonly newPatch: () => PatchId;
  /** Returns the time in ms, by the clock that schedules ticks. */
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

/** Factor by which the estimated cost of a step decays with each step. */
const COST_DECAY = 0.9;

export class GrowthPreviews {
  /** Films by genomes, including those in progress; most recently used last. */
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

  /** Number of seeds that are growing or waiting. */
  get size(): number {
    return this.waiting.size + this.growing.length;
  }

  /**
   * Grows a seed, or returns its cached film.
   *
   * @param source identifies the requester, for example by network address; sources take turns
   * @throws Refusal room-busy: too many seeds are waiting; shutting-down
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
    // Removes a failed preview, so that it can be requested again.
    film.catch(() => films.get(key) === film && films.delete(key));
    for (const oldest of films.keys()) {
      if (films.size <= settings.films) break;
      films.delete(oldest);
    }
    return film;
  }

  /**
   * Grows seeds during the pause after a tick.
   *
   * @param until when the next tick is due, in ms
   */
  pause(until: number): void {
    if (this.busy || this.size === 0 || this.stopped) return;
    const { now, settings } = this.options;
    const fits = (): boolean => now() + this.cost + settings.reserve <= until;
    const hurried = !fits();
    // Even if ticks leave no pauses, takes a step now and then, so that previews finish eventually.
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

  /** Stops growing and rejects everything pending. Resolves when the current step has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.busy;
    this.fail(new Refusal('shutting-down'));
  }

  /**
   * Makes the growing seeds take one step.
   *
   * @param cells maximum number of cells to step; the first seed is stepped in any case
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

  /** Rejects all seeds that are growing or waiting. */
  private fail(error: unknown): void {
    const lost = [...this.growing.splice(0), ...this.waiting.take()];
    // Reports an engine's failure as a busy room, because rooms handle the failure themselves.
    const refusal = error instanceof Refusal ? error : new Refusal('room-busy', String(error));
    for (const { done } of lost) done(Promise.reject(refusal));
    if (this.stopped) return;
    this.options.engine.dispose(lost.map(({ patch }) => patch)).catch(() => undefined);
  }
}
