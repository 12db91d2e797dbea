/** Gardens that no expectation of the codec was learned from, each by a seed. */

import { loadRelatives } from '../../server/vnca/relatives.ts';
import { EXPRESSION_PACE } from '../../server/world/organisms/expressions.ts';
import { World } from '../../server/world/world.ts';
import { ROOM_DEFAULTS } from '../../shared/host/room-settings.ts';
import { startEngine } from '../support/engine.ts';
import { GARDEN, type Garden, gardenOf, recordGarden } from '../support/standard-garden.ts';

const { birth, healing, liveliness } = ROOM_DEFAULTS;
const expressing = EXPRESSION_PACE;
const life = { birth, healing, expressing };
const ticks = 20 * GARDEN.tickRate;
const [second, seldom] = [GARDEN.tickRate, 5 * GARDEN.tickRate];
const GARDENS = [
  { name: 'calm', seed: 21, plantEvery: seldom, cutEvery: seldom, radius: 3, life, liveliness },
  { name: 'busy', seed: 22, plantEvery: second, cutEvery: second, radius: 3, life, liveliness },
  { name: 'dice', seed: 23, plantEvery: second, cutEvery: second, radius: 6, dice: 1 },
];

/** Each can be played several times. @throws EngineError */
export async function recordSeededGardens(): Promise<
  readonly { readonly name: string; garden(): Garden }[]
> {
  const { engine, checkpoint, species } = await startEngine('auto');
  try {
    const relatives = await loadRelatives(checkpoint);
    const world = new World(engine);
    const recorded = [];
    for (const options of GARDENS) {
      const changes = await recordGarden(world, { ...species, relatives }, { ...options, ticks });
      recorded.push({ name: options.name, garden: () => gardenOf(changes) });
    }
    return recorded;
  } finally {
    await engine.close();
  }
}
