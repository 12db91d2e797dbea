/** The real engine on the shipped checkpoint. */
import { fileURLToPath } from 'node:url';
import type { BackendName } from '../../server/engine/backend.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import type { Engine } from '../../server/engine/engine.ts';
import { speciesOf } from '../../server/rooms/species.ts';
import { type Checkpoint, loadCheckpoint } from '../../server/vnca/checkpoint.ts';
import type { Species } from '../../server/world/species.ts';

export const CHECKPOINT_FOLDER = fileURLToPath(
  new URL('../../checkpoints/organisms', import.meta.url),
);

/** @param backend which one; 'auto' takes the best that works here */
export async function startEngine(backend: BackendName | 'auto' = 'auto'): Promise<{
  checkpoint: Checkpoint;
  species: Species;
  engine: Engine;
}> {
  const checkpoint = await loadCheckpoint(CHECKPOINT_FOLDER);
  const engine = await createEngine({ checkpoints: [checkpoint], backend });
  return { checkpoint, species: speciesOf(checkpoint), engine };
}
