/**
 * The patch store of every `RuleBackend`: it plants, steps and reads patches and knows nothing of
 * threads.
 *
 * A call takes effect completely, or throws and leaves every patch unchanged.
 */

import { getOrAdd } from '../../platform/collections.ts';
import { seedState } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import type { PatchStore, RuleBackend, TransferredPatch } from '../backend.ts';
import type { PatchId, Readout } from '../engine.ts';
import { type BatchEntry, BatchStepper, type PatchReadout } from './batch-stepper.ts';
import { stateLayout } from './layout.ts';
import { checkNames, type LoadedModel, type Patch, PatchTable, stageAfter } from './patch-table.ts';
import { readerOf } from './read-patch.ts';

/** The read-out of such a patch: empty and not at rest. Overwrites the buffers of `readout`. */
export function brokenReadout(readout: Readout): Readout {
  readout.rgba.fill(0);
  readout.presence.fill(0);
  return { ...readout, change: 255, broken: true };
}

/**
 * Loads the models on the backend.
 *
 * @param models patches refer to them by the names in their cards
 * @throws EngineError unavailable: two models have the same name
 */
export async function createPatchStore(
  models: readonly Model[],
  backend: RuleBackend,
): Promise<PatchStore> {
  const allSpecies = new Map<string, LoadedModel>();
  checkNames(models);
  for (const model of models) {
    const { card } = model;
    const rule = await backend.load(model);
    const layout = stateLayout(card.channels, backend.planar);
    const read = rule.read ?? readerOf(card, backend.planar);
    allSpecies.set(card.name, { card, rule, read, layout });
  }
  const patches = new PatchTable<Patch>(allSpecies);
  const stepper = new BatchStepper(backend);

  /** Removes a patch; its batch, now incomplete, is released after the next step. */
  const remove = (id: PatchId): void => {
    const patch = patches.get(id);
    if (patch) patch.batch = undefined;
    patches.delete(id);
  };

  return {
    plant(news) {
      const planted = patches.create(news, ({ latent }, species, stage) => ({
        species,
        conditioning: species.rule.condition?.(latent),
        stage,
        state: species.layout.import(seedState(latent, stage, species.card.channels)),
        batch: undefined,
        lastRgba: undefined,
      }));
      patches.addAll(planted);
    },

    async step(steps) {
      const entries = patches.entriesOf(steps);
      const stepped = [];
      for (const group of groupsOf(entries)) stepped.push(...(await stepper.step(group)));
      stepper.commit(stepped);
      const readouts = new Map(
        stepped.flatMap((batch) => batch.entries.map((entry, i) => [entry, batch.readouts[i]])),
      );
      return entries.map((entry) => readOut(entry, readouts.get(entry)!));
    },

    exportStates: (ids) =>
      ids
        .map((id) => patches.require(id))
        .map(({ species, state }) => species.layout.export(state)),

    importStates(states) {
      for (const { patch, stage, state } of patches.importsOf(states)) {
        patch.batch = undefined;
        patch.stage = stage;
        patch.state = patch.species.layout.import(state);
        patch.lastRgba = undefined;
      }
    },

    take(ids) {
      const taken = ids.map((id): TransferredPatch => {
        const { species, stage, state, conditioning, lastRgba } = patches.require(id);
        const { name: checkpoint } = species.card;
        return { patch: id, checkpoint, stage, state: state.slice(), conditioning, lastRgba };
      });
      ids.forEach(remove);
      return taken;
    },

    put(news) {
      for (const { patch: id, checkpoint, ...own } of news) {
        patches.set(id, { ...own, species: allSpecies.get(checkpoint)!, batch: undefined });
      }
    },

    dispose(ids) {
      ids.forEach(remove);
    },

    async close() {
      patches.clear();
      for (const { rule } of allSpecies.values()) await rule.dispose();
      allSpecies.clear();
    },
  };
}

/** Groups entries by species and stage, which can be stepped as one tensor; in their order. */
function groupsOf(entries: readonly BatchEntry[]): BatchEntry[][] {
  const groups = new Map<string, BatchEntry[]>();
  for (const entry of entries) {
    const key = `${entry.patch.species.card.name} ${stageAfter(entry.patch, entry.step)}`;
    getOrAdd(groups, key, () => []).push(entry);
  }
  return [...groups.values()];
}

/** The read-out of a committed step. */
function readOut({ patch, step }: BatchEntry, { rgba, presence, finite }: PatchReadout): Readout {
  const change = step.divide || !patch.lastRgba ? 255 : largestChange(patch.lastRgba, rgba);
  if (patch.lastRgba?.length === rgba.length) patch.lastRgba.set(rgba);
  else patch.lastRgba = rgba.slice();
  const readout = { patch: step.patch, stage: patch.stage, rgba, presence, change };
  return finite ? readout : brokenReadout(readout);
}

/** Of pictures of equal size. */
function largestChange(a: Uint8Array, b: Uint8Array): number {
  // Most cells of most patches are at rest, so whole cells are compared first.
  const [cellsOfA, cellsOfB] = [a, b].map(
    ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4),
  );
  let largest = 0;
  for (let cell = 0; cell < cellsOfA.length; cell++) {
    if (cellsOfA[cell] === cellsOfB[cell]) continue;
    for (let i = 4 * cell; i < 4 * cell + 4; i++) {
      const change = Math.abs(a[i] - b[i]);
      if (change > largest) largest = change;
    }
  }
  return largest;
}
