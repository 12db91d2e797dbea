/** The real engine on the shipped checkpoint. */
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../server/engine/create.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/vivarium.ts';
import { type Checkpoint, loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import type { Species } from '../../server/world/species.ts';

export const CHECKPOINT_FOLDER = fileURLToPath(
  new URL('../../checkpoints/interim-emoji', import.meta.url),
);

export async function startEngine(): Promise<{
  checkpoint: Checkpoint;
  species: Species;
  engine: Engine;
}> {
  const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
  const engine = await createEngine({ checkpoints: [checkpoint] });
  return { checkpoint, species: speciesOf(checkpoint), engine };
}
