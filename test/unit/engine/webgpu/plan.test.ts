/** How nets are cut up, and how their weights are packed: needs no GPU. */
import { readdirSync, readFileSync } from 'node:fs';
import { planFor } from '../../../../server/engine/webgpu/plan.ts';
import { fromGroups, toGroups } from '../../../../server/engine/webgpu/store.ts';
import type { Card } from '../../../../server/vnca/card.ts';
import { createRandom } from '../../../../shared/random.ts';
import { tinyModel } from '../../vnca/tiny-model.ts';

const CONFIGS = new URL('../../../../server/training/configs/', import.meta.url);
/** The least that any WebGPU device offers, and what GPUs have. */
const LIMITS = [16_384, 32_768, 49_152].map((maxComputeWorkgroupStorageSize) => ({
  maxComputeWorkgroupStorageSize,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
}));

const cards = readdirSync(CONFIGS)
  .filter((file) => file.endsWith('.json'))
  .map((file) => {
    return [file, JSON.parse(readFileSync(new URL(file, CONFIGS), 'utf8')) as Card] as const;
  })
  // Engines take no painters and no decoders.
  .filter(([, { update }]) => update && update.kind !== 'decoder');

describe.each(LIMITS)(
  'with $maxComputeWorkgroupStorageSize bytes of workgroup memory',
  (limits) => {
    test.each(cards)('%s has room', (_, card) => {
      const plan = planFor(card, limits);
      const bytes = (plan.cellSpace + plan.weightSpace) * 16;
      expect(bytes).toBeLessThan(limits.maxComputeWorkgroupStorageSize);
      expect(plan.threads).toBeLessThanOrEqual(256);
      const { hiddenColumns, outColumns, cells, tileWidth, tileHeight } = plan;
      expect(cells * hiddenColumns.all).toBeLessThanOrEqual(plan.cellSpace);
      const around = (tileWidth + 2) * (tileHeight + 2);
      expect(plan.perceived * around).toBeLessThanOrEqual(plan.cellSpace);
      const rows = [
        [plan.perceiveRows, hiddenColumns],
        [plan.hiddenRows, hiddenColumns],
        [plan.outRows, outColumns],
      ] as const;
      for (const [count, columns] of rows) {
        expect(count).toBeGreaterThan(0);
        expect(4 * count * columns.all).toBeLessThanOrEqual(plan.weightSpace);
      }
      expect(hiddenColumns.all * 4).toBeGreaterThanOrEqual(card.update.hidden);
      expect(outColumns.all * 4).toBeGreaterThanOrEqual(card.channels);
    });
  },
);

test('a net that fits no tile is refused', () => {
  const { card } = tinyModel({ update: { kind: 'simple', hidden: 4000 } });
  expect(() => planFor(card, LIMITS[0])).toThrow(
    "engine: unavailable: a net of 4000 hidden units is too wide for this GPU's workgroup memory",
  );
});

test('states come back from their groups', () => {
  const state = createRandom(1).latent(5 * 5 * 6);
  const groups = toGroups(state, 5, 6);
  expect(groups).toHaveLength(5 * 5 * 8);
  expect(groups[(25 + 7) * 4 + 1]).toBe(state[7 * 6 + 5]);
  expect(fromGroups(groups, 5, 6)).toEqual(state);
});
