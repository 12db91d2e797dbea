/**
 * Counts the bits of the stream's contexts in the standard garden, and writes their initial
 * probabilities to a file.
 */
import { writeFile } from 'node:fs/promises';
import { BLOCK_HEADER_BYTES, readBlockHeader } from '../../shared/codec/block.ts';
import { codeDelta, codeKey, codeRefinement } from '../../shared/codec/cell-model.ts';
import {
  type Cells,
  copyCells,
  createCells,
  putCells,
  takeCells,
} from '../../shared/codec/cells.ts';
import { chunkRect } from '../../shared/codec/chunks.ts';
import { CONTEXT_COUNT, createContexts, stepOf } from '../../shared/codec/contexts.ts';
import { readBlocks } from '../../shared/codec/frame.ts';
import { Neighbourhood } from '../../shared/codec/neighbourhood.ts';
import { createPlanes } from '../../shared/codec/planes.ts';
import { RangeReader } from '../../shared/codec/range-coder.ts';
import { TIER_NAMES, type TierName } from '../../shared/codec/tiers.ts';
import { GardenStream } from '../support/garden-stream.ts';

const FILE = new URL('../../shared/codec/expectations.ts', import.meta.url);

/** Zeros and ones that each context has seen. */
class Counts {
  readonly of = new Float64Array(2 * CONTEXT_COUNT);

  /** Reads a block as a page does. */
  read(block: Uint8Array, before: Cells): Cells {
    const { kind, shift } = readBlockHeader(block);
    const reader = new CountingReader(this, block.subarray(BLOCK_HEADER_BYTES));
    const isKey = kind === 'key' || kind === 'coarse';
    const after = isKey ? createCells(before) : copyCells(before);
    if (kind === 'delta') {
      codeDelta(reader, {
        ...{ before, after, step: 2 ** shift },
        ...{ marks: new Uint8Array(0), neighbourhood: new Neighbourhood() },
      });
    } else if (isKey) codeKey(reader, after, shift);
    else codeRefinement(reader, after, shift);
    return after;
  }
}

class CountingReader extends RangeReader {
  constructor(
    private readonly counts: Counts,
    bytes: Uint8Array,
  ) {
    super(createContexts(), bytes);
  }

  override bit(context: number): number {
    const bit = super.bit(context);
    this.counts.of[2 * context + bit]++;
    return bit;
  }
}

function count(tier: TierName, counts: Counts): void {
  const stream = new GardenStream(tier);
  const { encoder: cast } = stream;
  const seen = createPlanes(cast.seen.width, cast.seen.height);
  const take = (frame: Uint8Array): void => {
    for (const { chunk, block } of readBlocks(frame, cast.chunks)) {
      const rect = chunkRect(seen, chunk);
      putCells(seen, rect, counts.read(block, takeCells(seen, rect)));
    }
  };
  take(stream.whole((chunk) => cast.coarseKey(chunk)));
  take(stream.whole((chunk) => cast.refinement(chunk)));
  for (let tick = 1; tick <= stream.ticks; tick++) {
    const { frame } = stream.next();
    if (frame) take(frame);
    // Keys of gardens at work, too.
    if (tick % 90 === 0) take(stream.whole((chunk) => cast.key(chunk)));
  }
}

export async function writeExpectations(log: (line: string) => void): Promise<void> {
  const counts = new Counts();
  for (const tier of TIER_NAMES) {
    count(tier, counts);
    log(`${tier}: counted`);
  }
  const digits = Array.from({ length: CONTEXT_COUNT }, (_, context) => {
    const [zeros, ones] = [counts.of[2 * context], counts.of[2 * context + 1]];
    return stepOf((ones + 0.4) / (zeros + ones + 0.8))
      .toString(16)
      .padStart(2, '0');
  }).join('');
  const lines = digits.match(/.{1,96}/g)!.map((line) => `  '${line}'`);
  const text = [
    '/** Made by `npm run fixtures -- codec-expectations`: log-odds of each context’s bits in the standard garden, two hexadecimal digits each. */',
    'export const EXPECTATIONS = [',
    ...lines.map((line) => `${line},`),
    "].join('');",
    '',
  ].join('\n');
  await writeFile(FILE, text);
  log(`${CONTEXT_COUNT} expectations written`);
}
