/** Records the standard garden again, after the shipped organisms have changed. */
import { writeFile } from 'node:fs/promises';
import { World } from '../../server/world/world.ts';
import { startEngine } from '../support/engine.ts';
import { recordGarden } from '../support/recorded-garden.ts';
import { GARDEN, packChanges } from '../support/standard-garden.ts';

export async function recordStandardGarden(log: (line: string) => void): Promise<void> {
  const { engine, species } = await startEngine('auto');
  const { ticks, tickRate } = GARDEN;
  const changes = await recordGarden(new World(engine), species, {
    ...{ name: 'standard', seed: 1, ticks, radius: 3 },
    ...{ plantEvery: tickRate, cutEvery: tickRate },
  });
  await engine.close();
  const cells = changes.slice(1).reduce((sum, { places }) => sum + places.length, 0);
  const packed = packChanges(changes);
  await writeFile(new URL('../fixtures/standard-garden.br', import.meta.url), packed);
  log(
    `${ticks} ticks, ${(cells / ticks).toFixed(0)} places change a tick, ` +
      `${(packed.length / 1e6).toFixed(2)} MB`,
  );
}
