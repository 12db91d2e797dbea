/**
 * The nursery: grows seeds outside of any room, so that visitors see what a seed becomes before they plant it. Rooms come first: it
 * works in the pauses between ticks, a step at a time, and a tick waits for one such step at worst.
 */
import type { DEFAULTS } from '../../shared/defaults.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import type { Engine, PatchId, Readout } from '../engine/engine.ts';
import { growthStep, type Species } from '../world/species.ts';
import { createGrowthFilm, type GrowthFilm } from './growth-film.ts';

export interface GrowthPreviewsOptions {
  readonly engine: Pick<Engine, 'plant' | 'step' | 'dispose'>;
  readonly species: Species;
  /** Gives a patch id that nobody else has. */
  readonly newPatch: () => PatchId;
  /** ms, by the clock of the ticks */
  readonly now: () => number;
  readonly settings: { readonly [K in keyof (typeof DEFAULTS)['nursery']]: number };
}

interface GrowingSeed {
  readonly key: string;
  readonly latent: Float32Array;
  readonly patch: PatchId;
  age: number;
  readonly shots: Readout[];
  readonly done: (film: Promise<GrowthFilm>) => void;
}

/** How fast a long step is forgotten. */
const FORGET = 0.9;

export class GrowthPreviews {
  /** Films and seedlings by their latents, the last used ones at the end. */
  private readonly films = new Map<string, Promise<GrowthFilm>>();
  private readonly waiting: GrowingSeed[] = [];
  private readonly growing: GrowingSeed[] = [];
  /** What a step has cost of late, ms. */
  private cost = 0;
  private passed = 0;
  private busy: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly options: GrowthPreviewsOptions) {}

  /** Seeds that grow, or wait for it. */
  get size(): number {
    return this.waiting.length + this.growing.length;
  }

  /**
   * How a seed grows.
   *
   * @param latent [Z]
   * @throws Refusal room-busy: too many wait; shutting-down
   */
  grow(latent: Float32Array): Promise<GrowthFilm> {
    const { films } = this;
    const { settings, newPatch } = this.options;
    const key = Buffer.from(latent.buffer, latent.byteOffset, latent.byteLength).toString('latin1');
    const known = films.get(key);
    if (known) {
      films.delete(key);
      films.set(key, known);
      return known;
    }
    if (this.stopped) return Promise.reject(new Refusal('shutting-down'));
    if (this.waiting.length >= settings.maxWaiting) {
      return Promise.reject(new Refusal('room-busy', 'previews'));
    }
    const film = new Promise<GrowthFilm>((done) => {
      const seedling = { key, latent: latent.slice(), patch: newPatch(), age: 0, shots: [], done };
      this.waiting.push(seedling);
    });
    films.set(key, film);
    // What has failed may be tried again.
    film.catch(() => films.get(key) === film && films.delete(key));
    for (const oldest of films.keys()) {
      if (films.size <= settings.films) break;
      films.delete(oldest);
    }
    return film;
  }

  /**
   * A tick is done.
   *
   * @param until when the next one is due
   */
  pause(until: number): void {
    if (this.busy || this.size === 0 || this.stopped) return;
    const { now, settings } = this.options;
    const fits = (): boolean => now() + this.cost + settings.reserve <= until;
    const hurried = !fits();
    // Where ticks leave no pause, looking at seeds is slow, but comes to an end.
    if (hurried && ++this.passed < settings.patience) return;
    this.passed = 0;
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

  /** Nothing is grown any more; resolves when the step in progress is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.busy;
    this.fail(new Refusal('shutting-down'));
  }

  /**
   * One step of the seedlings, or of the first of them.
   *
   * @param cells that may be stepped; one seedling is, anyway
   */
  private async round(cells: number): Promise<void> {
    const { engine, species, settings, now } = this.options;
    const start = now();
    const fresh = this.waiting.splice(0, settings.growing - this.growing.length);
    this.growing.push(...fresh);
    if (fresh.length > 0) {
      const { checkpoint } = species;
      await engine.plant(fresh.map(({ patch, latent }) => ({ patch, checkpoint, latent })));
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
    stepped.forEach((seedling, i) => {
      seedling.age++;
      if ((steps - seedling.age) % every === 0) seedling.shots.push(readouts[i]);
      if (seedling.age === steps) grown.push(seedling);
    });
    for (const seedling of grown) {
      this.growing.splice(this.growing.indexOf(seedling), 1);
      seedling.done(createGrowthFilm(seedling.shots, species.side, species.threshold));
    }
    if (grown.length > 0) await engine.dispose(grown.map(({ patch }) => patch));
    this.cost = Math.max(now() - start, this.cost * FORGET);
  }

  /** All that grows or waits comes to nothing. */
  private fail(error: unknown): void {
    const lost = [...this.growing.splice(0), ...this.waiting.splice(0)];
    // An engine that fails says so to the rooms, who know what to do.
    const refusal = error instanceof Refusal ? error : new Refusal('room-busy', String(error));
    for (const { done } of lost) done(Promise.reject(refusal));
    if (this.stopped) return;
    this.options.engine.dispose(lost.map(({ patch }) => patch)).catch(() => undefined);
  }
}
