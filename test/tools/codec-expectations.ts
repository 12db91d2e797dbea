/**
 * `npm run fixtures`: learns the log-odds that the stream's contexts start with, from gardens of seeds that
 * no benchmark uses, and writes them into their module.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { loadRelatives } from '../../server/vnca/relatives.ts';
import { EXPRESSION_PACE } from '../../server/world/organisms/expressions.ts';
import { World } from '../../server/world/world.ts';
import { BLOCK_HEADER_BYTES, readBlockHeader } from '../../shared/codec/block.ts';
import {
  type Cells,
  chunkRect,
  createPlanes,
  putCells,
  takeCells,
} from '../../shared/codec/chunks.ts';
import { CONTEXT_COUNT, createContexts, low, STEPS, ZERO } from '../../shared/codec/contexts.ts';
import { codeDelta } from '../../shared/codec/delta-model.ts';
import { readBlocks } from '../../shared/codec/frame.ts';
import { codeKey, codeRefinement } from '../../shared/codec/key-model.ts';
import { Neighbourhood } from '../../shared/codec/neighbourhood.ts';
import { NONE, RangeReader } from '../../shared/codec/range-coder.ts';
import { TIER_NAMES, type TierName } from '../../shared/codec/tiers.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { startEngine } from '../support/engine.ts';
import { GardenStream } from '../support/garden-stream.ts';
import { type Change, GARDEN, gardenOf, recordGarden } from '../support/standard-garden.ts';

/** Contexts of a bit. */
const ORDER = 4;
type Contexts = readonly [number, number, number, number];
/** Contexts are below this. */
const MOST = 2 ** 13;
/** Of the first regression, and of the second, for what is left. */
const ROUNDS = [100, 60];
/** Of these rounds, in which contexts have moved but are not yet certain, one shows what they save. */
const WEIGHED = 5;
const MOMENTUM = 0.9;
/** Weight of the prior, under which contexts add nothing. */
const PRIOR = 0.5;
/** Contexts that save fewer bits than this add nothing, so that pages have a short list to load. */
const SAVED = 60;

/** Bits that were coded, counted by their contexts, and what is best expected of each context. */
class CodedBits {
  /** Numbers of all contexts together. */
  private readonly tuples = new Map<number, number>();
  private readonly contexts: number[] = [];
  private readonly zeros: number[] = [];
  private readonly ones: number[] = [];

  add(bit: number, [a, b, c, d]: Contexts): void {
    const { tuples, contexts, zeros, ones } = this;
    const key = ((a * MOST + b) * MOST + c) * MOST + d;
    let tuple = tuples.get(key);
    if (tuple === undefined) {
      tuples.set(key, (tuple = tuples.size));
      contexts.push(a, b, c, d);
      zeros.push(0);
      ones.push(0);
    }
    (bit ? ones : zeros)[tuple]++;
  }

  /**
   * Logistic regression: Newton's method with a bound on the curvature that treats contexts apart,
   * and momentum.
   *
   * @returns [contexts] log-odds
   */
  learn(log: (line: string) => void): Float64Array {
    const contexts = Uint16Array.from(this.contexts);
    const [zeros, ones] = [Float64Array.from(this.zeros), Float64Array.from(this.ones)];
    const [odds, moves, slopes, bends, weights] = [0, 1, 2, 3, 4].map(
      () => new Float64Array(CONTEXT_COUNT),
    );
    // The first context, NONE, adds nothing.
    const used = new Uint8Array(CONTEXT_COUNT).fill(1, 1);
    for (const rounds of ROUNDS) {
      for (let round = 0; round < rounds; round++) {
        slopes.fill(0);
        bends.fill(0);
        let bits = 0;
        for (let i = 0; i < zeros.length; i++) {
          const at = ORDER * i;
          let sum = 0;
          for (let k = 0; k < ORDER; k++) sum += odds[contexts[at + k]];
          bits += ones[i] * Math.log2(1 + Math.exp(-sum)) + zeros[i] * Math.log2(1 + Math.exp(sum));
          const count = ones[i] + zeros[i];
          const expected = 1 / (1 + Math.exp(-sum));
          for (let k = 0; k < ORDER; k++) {
            slopes[contexts[at + k]] += ones[i] - count * expected;
            bends[contexts[at + k]] += count * expected * (1 - expected);
          }
        }
        for (let c = 0; c < CONTEXT_COUNT; c++) {
          const newton = (slopes[c] - PRIOR * odds[c]) / (ORDER * bends[c] + PRIOR + 1);
          moves[c] = within((round < 10 ? 0 : MOMENTUM) * moves[c] + within(newton));
          odds[c] = used[c] * (odds[c] + moves[c]);
        }
        if (rounds === ROUNDS[0] && round === WEIGHED) weights.set(bends);
        if (round === rounds - 1) log(`${Math.round(bits / 8)} bytes`);
      }
      // By the second order of what a bit costs.
      for (let c = 0; c < CONTEXT_COUNT; c++)
        if ((weights[c] * odds[c] ** 2) / 2 < SAVED * Math.LN2) used[c] = 0;
      odds.forEach((value, c) => {
        odds[c] = used[c] * value;
      });
    }
    return odds;
  }
}

const within = (step: number): number => Math.max(-1, Math.min(1, step));

const FILE = new URL('../../shared/codec/contexts.ts', import.meta.url);
const { birth, healing } = ROOM_DEFAULTS;
const expressing = EXPRESSION_PACE;
const OFTEN = { plantEvery: GARDEN.tickRate, cutEvery: GARDEN.tickRate };
const GARDENS = [
  { name: 'busy', seed: 11, ticks: 150, radius: 3, ...OFTEN },
  { name: 'dice', seed: 12, ticks: 150, radius: 5, dice: 0.5, ...OFTEN },
  {
    ...{ name: 'paced', seed: 13, ticks: 150, radius: 3, ...OFTEN },
    ...{ life: { birth, healing, expressing }, liveliness: 0.1 },
  },
  {
    ...{ name: 'lively', seed: 14, ticks: 40, radius: 3, plantEvery: 60, cutEvery: 45 },
    ...{ life: { birth, healing, expressing }, liveliness: 1 },
  },
];
/** Ticks between two pictures of all. */
const PICTURES = 25;
class NotingReader extends RangeReader {
  constructor(
    private readonly bits: CodedBits,
    bytes: Uint8Array,
  ) {
    super(createContexts(), bytes);
  }

  override bit(_: number, a: number, b = NONE, c = NONE, d = NONE): number {
    const bit = super.bit(0, a, b, c, d);
    this.bits.add(bit, [a, b, c, d]);
    return bit;
  }
}

/** Reads a block as a page does. */
function read(bits: CodedBits, block: Uint8Array, before: Cells): Cells {
  const { kind, shift } = readBlockHeader(block);
  const reader = new NotingReader(bits, block.subarray(BLOCK_HEADER_BYTES));
  const isKey = kind === 'key' || kind === 'coarse';
  const after = isKey ? createPlanes(before.width, before.height) : before;
  const neighbourhood = new Neighbourhood();
  if (kind === 'delta') {
    const { width, height } = before;
    neighbourhood.begin(before, { x: 0, y: 0, width, height });
    codeDelta(reader, { after, step: 1 << shift, marks: new Uint8Array(0), neighbourhood });
  } else if (isKey) codeKey(reader, after, shift, neighbourhood);
  else codeRefinement(reader, after, shift);
  return after;
}

function note(bits: CodedBits, tier: TierName, changes: readonly Change[]): void {
  const stream = new GardenStream(tier, gardenOf(changes));
  const { encoder } = stream;
  const seen = createPlanes(encoder.seen.width, encoder.seen.height);
  const take = (frame: Uint8Array): void => {
    for (const { chunk, block } of readBlocks(frame, encoder.chunks)) {
      const rect = chunkRect(seen, chunk);
      putCells(seen, rect, read(bits, block, takeCells(seen, rect)));
    }
  };
  const takeWhole = (): void => {
    take(stream.whole((chunk) => encoder.coarseKey(chunk)));
    take(stream.whole((chunk) => encoder.refinement(chunk)));
  };
  takeWhole();
  for (let tick = 1; tick <= stream.ticks; tick++) {
    const { frame } = stream.next();
    if (frame) take(frame);
    // Keys of gardens at work, too; exact ones only now and then, as only repairs send them.
    if (tier !== 'full' || tick % PICTURES !== 0) continue;
    if (tick % (4 * PICTURES) === 0) take(stream.whole((chunk) => encoder.key(chunk)));
    takeWhole();
  }
}

/** Steps from which on only every other one is written: a shorter list to load, for 0.1 % of a frame. */
const COARSE = 5;

/** @param odds log-odds, natural units */
function characterOf(odds: number): string {
  const steps = Math.max(-24, Math.min(24, Math.round(odds * STEPS)));
  return String.fromCharCode(ZERO + (Math.abs(steps) < COARSE ? steps : 2 * Math.round(steps / 2)));
}

/** Of lowest bits, which are nearly noise, a single step would make the list longer, and frames hardly shorter. */
function writtenAs(odds: number, context: number): string {
  const character = characterOf(odds);
  const isStep = [0.25, -0.25].map(characterOf).includes(character);
  return context >= low && isStep ? characterOf(0) : character;
}

const { engine, checkpoint, species } = await startEngine('auto');
const relatives = await loadRelatives(checkpoint);
const world = new World(engine);
const bits = new CodedBits();
for (const garden of GARDENS) {
  const changes = await recordGarden(world, { ...species, relatives }, garden);
  for (const tier of TIER_NAMES) note(bits, tier, changes);
  console.log(`${garden.name}: noted`);
}
await engine.close();
const expectations = [...bits.learn(console.log)].map(writtenAs).join('');
const module = await readFile(FILE, 'utf8');
await writeFile(FILE, module.replace(/(EXPECTATIONS =\n {2}')[^']*/, `$1${expectations}`));
console.log(`${CONTEXT_COUNT} expectations written`);
