/**
 * Learns the log-odds that the stream's contexts start with, from gardens of seeds that no
 * benchmark uses, and writes them to a file.
 */
import { writeFile } from 'node:fs/promises';
import { loadRelatives } from '../../server/vnca/relatives.ts';
import { World } from '../../server/world/world.ts';
import { BLOCK_HEADER_BYTES, readBlockHeader } from '../../shared/codec/block.ts';
import { type Cells, createCells, putCells, takeCells } from '../../shared/codec/cells.ts';
import { chunkRect, createPlanes } from '../../shared/codec/chunks.ts';
import { CONTEXT_COUNT, createContexts, low, STEPS, ZERO } from '../../shared/codec/contexts.ts';
import { codeDelta } from '../../shared/codec/delta-model.ts';
import { readBlocks } from '../../shared/codec/frame.ts';
import { codeKey, codeRefinement } from '../../shared/codec/key-model.ts';
import { Neighbourhood } from '../../shared/codec/neighbourhood.ts';
import { NONE, RangeReader } from '../../shared/codec/range-coder.ts';
import { TIER_NAMES, type TierName } from '../../shared/codec/tiers.ts';
import { DEFAULTS } from '../../shared/defaults.ts';
import { startEngine } from '../support/engine.ts';
import { GardenStream } from '../support/garden-stream.ts';
import { type Change, GARDEN, gardenOf, recordGarden } from '../support/standard-garden.ts';
import { CodedBits } from './coded-bits.ts';

const FILE = new URL('../../shared/codec/contexts.ts', import.meta.url);
const { birth, healing, expressing } = DEFAULTS.life;
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
  const after = isKey ? createCells(before) : before;
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

/**
 * Learns the codec's expectations from gardens of several seeds, and writes the module that holds
 * them.
 *
 * @throws EngineError no engine starts
 */
export async function writeExpectations(log: (line: string) => void): Promise<void> {
  const { engine, checkpoint, species } = await startEngine('auto');
  const relatives = await loadRelatives(checkpoint);
  const world = new World(engine);
  const bits = new CodedBits();
  for (const garden of GARDENS) {
    const changes = await recordGarden(world, { ...species, relatives }, garden);
    for (const tier of TIER_NAMES) note(bits, tier, changes);
    log(`${garden.name}: noted`);
  }
  await engine.close();
  const text = [
    '/** Made by `npm run fixtures -- codec-expectations`: the log-odds that each context adds at first, a character each. */',
    `export const EXPECTATIONS =\n  '${[...bits.learn(log)].map(writtenAs).join('')}';`,
    '',
  ].join('\n');
  await writeFile(FILE, text);
  log(`${CONTEXT_COUNT} expectations written`);
}
