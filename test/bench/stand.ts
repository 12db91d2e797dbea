/** One engine with one net in a benchmark, and its measurements per round. */
import type { BackendName } from '../../server/engine/backend.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import { type Engine, EngineError } from '../../server/engine/engine.ts';
import { createRandom } from '../../shared/random.ts';
import { type Bare, startBare } from './bare.ts';
import { flopPerCell, type Net } from './nets.ts';
import { Patches } from './patches.ts';
import { PRODUCT_FLOP } from './product.ts';

export const SIZES = [1, 16, 64, 256, 1024] as const;
export const GARDEN = 256;
export const ROUNDS = 5;
/**
 * A size has as many rounds as fit into so many seconds; one that has not even these is left out.
 */
const LONGEST = 20;
const FEWEST_ROUNDS = 3;
/** To time a step by: short ones are repeated. */
const ENOUGH_MS = 300;
const MOST_TIMES = 100;
const PRODUCTS = 3;

/** Such a driver is there to be right; how fast it is says nothing of a GPU. */
const EMULATED = /^CPU emulating a GPU/;

/** Samples of one number of patches; cells/s. */
export interface SizeSamples {
  readonly patches: number;
  /** Of the engine as rooms use it. */
  readonly engine: number[];
  /** Of the backend's steps alone; empty: it has none. */
  readonly bare: number[];
  /** ms that all its rounds have taken. */
  spent: number;
}

export interface Memory {
  /** Growth of this process's resident memory by the engine with its net, in MiB. */
  readonly started: number;
  /** The same with the most patches that were measured, each stepped. */
  readonly full: number;
}

/** Percentages of the garden that are awake. */
const AWAKE = [10, 25, 50, 100] as const;

export class Stand {
  readonly skipped = new Map<number, string>();
  readonly sizes: SizeSamples[] = [];
  /** ms of a step of a garden, by the percentage that is awake. */
  readonly garden = new Map(AWAKE.map((percent) => [percent, [] as number[]]));
  /** FLOP/s of a big product in the same runtime; empty: it cannot be asked. */
  readonly peaks: number[] = [];
  memory: Memory = { started: 0, full: 0 };
  /** ms of a step when last taken, by patches. */
  private readonly last = new Map<number, number>();

  private constructor(
    readonly name: BackendName,
    readonly net: Net,
    readonly engine: Engine,
    private readonly patches: Patches,
    private readonly bare: Bare,
  ) {}

  /**
   * Starts engine and bare backend and takes every size once, unmeasured.
   *
   * @param named whether it was asked for by name: else a driver that computes on the CPU will not
   * do for a GPU
   * @throws EngineError unavailable: the engine does not start here, or is no such thing
   */
  static async open(name: BackendName, net: Net, named: boolean): Promise<Stand> {
    const before = residentMiB();
    const engine = await createEngine({ checkpoints: [net.model], backend: name });
    const { device } = engine.info;
    if (!named && EMULATED.test(device)) {
      await engine.close();
      throw new EngineError('unavailable', `${name} left out unless you name it: ${device}`);
    }
    const started = residentMiB() - before;
    const patches = await Patches.grow(engine, net.model);
    const bare = await startBare({ name, folder: net.folder }, patches.checkpoints);
    const stand = new Stand(name, net, engine, patches, bare);
    await stand.warmUp();
    stand.memory = { started, full: residentMiB() - before };
    return stand;
  }

  private async warmUp(): Promise<void> {
    let perPatch = 0;
    for (const patches of SIZES) {
      // A round takes two steps of the engine and two of the bare backend, at least.
      const expected = (4 * FEWEST_ROUNDS * perPatch * patches) / 1000;
      if (expected > LONGEST) {
        this.skipped.set(patches, `would take about ${Math.round(expected)} s`);
        continue;
      }
      await this.patches.renew(patches);
      const ms = await this.patches.time(first(patches), 1);
      perPatch = ms / patches;
      this.last.set(patches, ms);
      this.sizes.push({ patches, engine: [], bare: [], spent: 0 });
    }
  }

  get side(): number {
    return this.net.model.card.side;
  }

  /** Takes everything once: all sizes, the garden, the product. */
  async round(): Promise<void> {
    this.peaks.push((PRODUCT_FLOP / (await this.bare.timeProduct(PRODUCTS))) * 1000);
    for (const size of this.sizes) {
      const { patches, engine, bare } = size;
      if (engine.length >= FEWEST_ROUNDS && size.spent > LONGEST * 1000) continue;
      const begun = performance.now();
      const cells = patches * this.side ** 2 * 1000;
      const times = timesFor(this.last.get(patches)!);
      await this.patches.renew(patches);
      const taken = await this.patches.time(first(patches), times);
      this.last.set(patches, taken);
      engine.push(cells / taken);
      const alone = await this.bare.timeStep(patches, times);
      if (alone !== null) bare.push(cells / alone);
      size.spent += performance.now() - begun;
    }
    const whole = this.last.get(GARDEN);
    if (whole === undefined) return;
    await this.patches.renew(GARDEN);
    for (const [percent, samples] of this.garden) {
      const some = awakeOf(percent);
      samples.push(await this.patches.time(some, timesFor((whole * percent) / 100)));
    }
  }

  /** The share of the best product that so many cells/s are. */
  shareOfPeak(cellsPerSecond: number): number {
    return (cellsPerSecond * flopPerCell(this.net.model)) / Math.max(...this.peaks);
  }

  async close(): Promise<void> {
    await this.bare.close();
    await this.engine.close();
  }
}

/** So much of a garden, by chance: wounds fall anywhere. */
function awakeOf(percent: number): number[] {
  const random = createRandom(10);
  const order = first(GARDEN).map((patch) => ({ patch, at: random.uniform() }));
  order.sort((a, b) => a.at - b.at);
  return order.slice(0, Math.round((GARDEN * percent) / 100)).map(({ patch }) => patch);
}

function first(count: number): number[] {
  return Array.from({ length: count }, (_, patch) => patch);
}

const timesFor = (ms: number): number =>
  Math.min(MOST_TIMES, Math.max(1, Math.ceil(ENOUGH_MS / ms)));
const residentMiB = (): number => process.memoryUsage.rss() / 2 ** 20;
