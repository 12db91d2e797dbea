/**
 * A patch's record: the scales and shifts of each layer's units, from the biases and the patch's
 * genome. It is computed once per patch, here on the CPU, and stored beside the patch's states.
 */
import { genomeLayout, RES4_BLOCKS } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { readGenome } from '../../vnca/genome.ts';
import { groupsOf, type Plan } from './plan.ts';

/** Layers whose units each cell computes, in order; 'out' is the last. */
export function layersOf({ update }: Pick<Card, 'update'>): string[] {
  const layers = ['perceive'];
  if (update.kind === 'residual') layers.push('hidden');
  if (update.kind === 'res4') {
    for (let i = 0; i < RES4_BLOCKS; i++) layers.push(`block${i}.inner`, `block${i}.outer`);
  }
  return [...layers, 'out'];
}

/** The layout of the records of a net. */
export type RecordLayout = ReturnType<typeof recordLayout>;

/** Offsets of the parts of a net's records, in groups of four. */
export function recordLayout(card: Card, plan: Plan) {
  const { update } = card;
  const modulation = genomeLayout(card).layers;
  const layers = new Map<string, { scales?: number; shifts: number }>();
  let at = 0;
  for (const [i, layer] of layersOf(card).entries()) {
    const { all } = layer === 'out' ? plan.outColumns : plan.hiddenColumns;
    const scaled =
      update.genome !== undefined && layer !== 'out' && modulation[i].scales !== undefined;
    layers.set(layer, { ...(scaled && { scales: at }), shifts: scaled ? at + all : at });
    at += scaled ? 2 * all : all;
  }
  const ownGroups = groupsOf(update.genome?.expressed ?? 0);
  return {
    /** By layer, 'perceive' first: [columns] each; scales only where the layer has them. */
    layers,
    /**
     * The patch's own weights of the last layer, [hidden rows, ownGroups], for the first channels.
     */
    ...{ own: at, ownGroups },
    size: at + 4 * plan.hidden * ownGroups,
    /** Whether all patches have the same record. */
    shared: !update.standingInput,
  };
}

/**
 * A patch's record, [size, 4].
 *
 * @param latent [Z]; ignored if all patches have the same record
 */
export function writeRecord(
  model: Model,
  layout: RecordLayout,
  latent: Float32Array,
): Float32Array<ArrayBuffer> {
  const { card, tensors } = model;
  const { channels, update } = card;
  const record = new Float32Array(4 * layout.size);
  const modulation = update.standingInput ? readGenome(model, latent, Float64Array) : undefined;
  const parts = genomeLayout(card);
  for (const [i, [layer, { scales, shifts }]] of [...layout.layers].entries()) {
    const bias = tensors.get(`update.${layer}.bias`)?.data;
    const units = layer === 'out' ? channels : update.hidden;
    const from = update.genome
      ? layer === 'out'
        ? { shifts: parts.shifts }
        : parts.layers[i]
      : layer === 'perceive'
        ? { shifts: 0 }
        : undefined;
    for (let unit = 0; unit < units; unit++) {
      const scale = scales === undefined ? 1 : 1 + modulation![from!.scales! + unit];
      if (scales !== undefined) record[4 * scales + unit] = scale;
      const shift = modulation && from ? modulation[from.shifts + unit] : 0;
      record[4 * shifts + unit] = (bias?.[unit] ?? 0) * scale + shift;
    }
  }
  const expressed = update.genome?.expressed ?? 0;
  if (modulation && expressed > 0) {
    const kernel = tensors.get('update.out.kernel')!.data;
    const width = 4 * layout.ownGroups;
    for (let unit = 0; unit < update.hidden; unit++) {
      for (let c = 0; c < Math.min(width, channels); c++) {
        const own = c < expressed ? modulation[parts.weights + unit * expressed + c] : 0;
        record[4 * layout.own + unit * width + c] = kernel[unit * channels + c] + own;
      }
    }
  }
  return record;
}
