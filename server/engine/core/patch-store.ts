/**
 * A patch store that works with any `RuleBackend` and computes in the calling thread. A call that
 * throws leaves every patch unchanged.
 */

import { getOrAdd } from '../../platform/collections.ts';
import { seedState } from '../../vnca/architecture.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { createReadout, type Visible } from '../../vnca/readout.ts';
import type { PatchStore, ReadPatch, RuleBackend, TransferredPatch } from '../backend.ts';
import type { PatchId, Readout } from '../engine.ts';
import {
  BatchStepper,
  Expression,
  express,
  type LoadedModel,
  type Patch,
  type Stepped,
  stateLayout,
  type Turn,
} from './batch-stepper.ts';
import { brokenReadout, PatchTable, stageAfter } from './patch-table.ts';

/**
 * Loads models on a backend and returns an empty patch store.
 *
 * @param models must have unique names (`card.name`)
 */
export async function createPatchStore(
  models: readonly Model[],
  backend: RuleBackend,
): Promise<PatchStore> {
  const allSpecies = new Map<string, LoadedModel>();
  for (const model of models) {
    const { card } = model;
    const rule = await backend.load(model);
    const layout = stateLayout(card.channels, backend.planar);
    const read = rule.read ?? readerOf(card, backend.planar);
    allSpecies.set(card.name, { card, rule, read, layout });
  }
  const patches = new PatchTable<Patch>(allSpecies);
  const stepper = new BatchStepper(backend);

  return {
    plant(news) {
      const planted = patches.checkNew(news).map(({ one, species, stage }) => ({
        id: one.patch,
        species,
        expression: express(species.rule, one.genomes ?? { latents: [one.latent] }),
        stage,
        state: species.layout.import(seedState(one.latent, stage, species.card.channels)),
        lastRgba: undefined,
      }));
      for (const { id, ...patch } of planted) patches.set(id, patch);
    },

    async step(steps) {
      const turns = patches.entriesOf(steps).map(({ patch, step }): Turn => {
        const { species, expression } = patch;
        const next = step.express && express(species.rule, step.express, expression);
        return { patch, step, expression: next ?? expression };
      });
      const stepped = new Map<Turn, Stepped>();
      for (const group of groupsOf(turns))
        for (const [i, one] of (await stepper.step(group)).entries()) stepped.set(group[i], one);
      stepper.commit(stepped.values());
      return turns.map((turn) => readOut(stepped.get(turn)!));
    },

    exportStates: (ids) =>
      ids
        .map((id) => patches.require(id))
        .map(({ species, state }) => species.layout.export(state)),

    importStates(states) {
      for (const { patch, stage, state } of patches.importsOf(states)) {
        patch.stage = stage;
        patch.state = patch.species.layout.import(state);
        patch.lastRgba = undefined;
      }
    },

    take(ids) {
      const taken = ids.map((id): TransferredPatch => {
        const { species, stage, state, expression, lastRgba } = patches.require(id);
        const { conditioning, labels } = expression;
        return {
          ...{ patch: id, checkpoint: species.card.name, stage, state },
          ...{ conditioning, labels, lastRgba },
        };
      });
      for (const id of ids) patches.delete(id);
      return taken;
    },

    put(news) {
      for (const { patch, checkpoint, conditioning, labels, ...own } of news) {
        const species = allSpecies.get(checkpoint)!;
        const expression = new Expression(conditioning, labels);
        patches.set(patch, { ...own, species, expression });
      }
    },

    dispose(ids) {
      const known = new Set(ids);
      stepper.recycle([...known].flatMap((id) => patches.get(id) ?? []));
      for (const id of known) patches.delete(id);
    },

    async close() {
      patches.clear();
      for (const { rule } of allSpecies.values()) await rule.dispose();
      allSpecies.clear();
    },
  };
}

/**
 * Groups steps that can be computed as one tensor: steps of patches with the same species and
 * stage. Each chimera is a group of its own.
 */
function groupsOf(entries: readonly Turn[]): Turn[][] {
  const groups = new Map<string | PatchId, Turn[]>();
  for (const entry of entries) {
    const { patch, step, expression } = entry;
    const key = expression.labels
      ? step.patch
      : `${patch.species.card.name} ${stageAfter(patch, step)}`;
    getOrAdd(groups, key, () => []).push(entry);
  }
  return [...groups.values()];
}

/**
 * Builds the read-out of a committed step. Keeps its picture for comparison with the next picture.
 */
function readOut({ patch, step, stage, rgba, presence, finite }: Stepped): Readout {
  const change = step.divide || !patch.lastRgba ? 255 : largestChange(patch.lastRgba, rgba);
  if (patch.lastRgba?.length === rgba.length) patch.lastRgba.set(rgba);
  else patch.lastRgba = rgba.slice();
  const readout = { patch: step.patch, stage, rgba, presence, change };
  return finite ? readout : brokenReadout(readout);
}

/**
 * Returns the largest difference, 0…255, between corresponding values of two pictures of equal
 * size.
 */
function largestChange(a: Uint8Array, b: Uint8Array): number {
  // Compare whole cells as 32-bit numbers first, because most cells do not change.
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

/**
 * Creates a function that computes a patch's picture and aliveness from its states.
 *
 * @param planar true if states are [C, s, s], false if they are [s, s, C]
 */
export function readerOf(card: Visible, planar: boolean): ReadPatch {
  const read = createReadout(card, planar);
  return (state, rgba, presence) => {
    read(state, 0, rgba, presence);
    return allFinite(state);
  };
}

function allFinite(values: Float32Array): boolean {
  // Four independent sums are several times faster than testing each value. A float64 sum of
  // float32 values cannot overflow, so the sum is finite if and only if all values are finite.
  let [a, b, c, d] = [0, 0, 0, 0];
  const unrolled = values.length - (values.length % 4);
  for (let i = 0; i < unrolled; i += 4) {
    a += values[i];
    b += values[i + 1];
    c += values[i + 2];
    d += values[i + 3];
  }
  for (let i = unrolled; i < values.length; i++) a += values[i];
  return Number.isFinite(a + b + c + d);
}
