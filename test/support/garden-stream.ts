/**
 * The standard garden as each tier streams it. It is recorded when it is first needed and kept in `.cache/test`, so that every
 * codec on this machine encodes the same picture.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { World } from '../../server/world/world.ts';
import type { Planes } from '../../shared/codec/chunks.ts';
import { type FrameBlock, writeFrame } from '../../shared/codec/frame.ts';
import { FrameEncoder, View } from '../../shared/codec/frame-encoder.ts';
import { isDue, TIERS, type TierName } from '../../shared/codec/tiers.ts';
import { startEngine } from './engine.ts';
import { CHECKPOINT_FOLDER } from './organisms.ts';
import {
  applyChange,
  type Change,
  GARDEN,
  type Garden,
  gardenOf,
  recordGarden,
} from './standard-garden.ts';

const { card } = await loadCheckpoint(CHECKPOINT_FOLDER);
const name = `standard-garden-${card.identity}`;
const FILE = fileURLToPath(new URL(`../../.cache/test/${name}`, import.meta.url));

async function record(): Promise<Change[]> {
  const { ticks, tickRate } = GARDEN;
  const { engine, species } = await startEngine();
  try {
    return await recordGarden(new World(engine), species, {
      ...{ name: 'standard', seed: 1, ticks, radius: 3 },
      ...{ plantEvery: tickRate, cutEvery: tickRate },
    });
  } finally {
    await engine.close();
  }
}

async function recorded(): Promise<Change[]> {
  try {
    return deserialize(readFileSync(FILE));
  } catch {
    const changes = await record();
    mkdirSync(dirname(FILE), { recursive: true });
    // Other suites may be reading or recording it.
    const draft = `${FILE}.${process.pid}`;
    writeFileSync(draft, serialize(changes));
    renameSync(draft, FILE);
    return changes;
  }
}

const changes = await recorded();

/** The standard garden, to be played from its beginning. */
const readGarden = (): Garden => gardenOf(changes);

export class GardenStream {
  readonly planes: Planes;
  readonly encoder: FrameEncoder;
  readonly ticks: number;
  private readonly changes: readonly Change[];
  private tick = 0;

  constructor(
    readonly tier: TierName,
    { planes, changes }: Garden = readGarden(),
  ) {
    this.planes = planes;
    this.changes = changes;
    this.ticks = changes.length;
    this.encoder = new FrameEncoder(new View(planes, 1), TIERS[tier]);
  }

  /** A frame of all chunks. */
  whole(block: (chunk: number) => Uint8Array): Uint8Array {
    return this.frame(
      Array.from({ length: this.encoder.chunks }, (_, i) => ({ chunk: i, block: block(i) })),
    );
  }

  /**
   * Plays the next tick of the recording.
   *
   * @returns its frame, when the tier has one at this tick, and ms that encoding took
   */
  next(): { frame: Uint8Array | undefined; ms: number } {
    const { encoder: cast, planes } = this;
    const changed = applyChange(planes, this.changes[this.tick++]);
    const start = performance.now();
    for (const one of changed) if (cast.view.update(this.tick, one)) cast.touch(one);
    if (!isDue(TIERS[this.tier], this.tick))
      return { frame: undefined, ms: performance.now() - start };
    cast.advance(this.tick, { has: () => true });
    const blocks: FrameBlock[] = [];
    for (let chunk = 0; chunk < cast.chunks; chunk++) {
      const block = cast.delta(chunk);
      if (block) blocks.push({ chunk, block });
    }
    return { frame: this.frame(blocks), ms: performance.now() - start };
  }

  private frame(blocks: readonly FrameBlock[]): Uint8Array {
    const { tier, tick } = this;
    return writeFrame({ tick, tier, scale: 1 }, blocks);
  }
}
