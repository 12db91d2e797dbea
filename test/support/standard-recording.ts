/**
 * The standard garden as the shipped organisms grow in it, recorded when it is needed first and kept
 * in `.cache/test`, so that every run of every codec on this machine is given the same picture.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import { World } from '../../server/world/world.ts';
import { startEngine } from './engine.ts';
import { CHECKPOINT_FOLDER } from './organisms.ts';
import { recordGarden } from './recorded-garden.ts';
import { type Change, GARDEN, type Garden, gardenOf } from './standard-garden.ts';

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
export const readGarden = (): Garden => gardenOf(changes);
