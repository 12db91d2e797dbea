/**
 * Lays out a net's numbers as its kernels read them: the weights, once, and for each genome of a
 * patch a record of the scales and shifts of each layer's units.
 */
import { cellLayers, genomeLayout } from '../../vnca/architecture.ts';
import type { Card } from '../../vnca/card.ts';
import type { Model } from '../../vnca/checkpoint.ts';
import { MAX_GENOMES } from '../../vnca/chimera.ts';
import { readGenome } from '../../vnca/genome.ts';
import { groupsOf, type Plan } from './plan.ts';

export type PackedWeights = ReturnType<typeof packWeights>;

/**
 * Packs the weights of all layers: rows of inputs in groups of four, padded with zeros to the
 * plan's columns. The rows of 'perceive' are [9 neighbours, 4·channels].
 *
 * @returns the offset of each layer, in groups of four values, and the values
 */
export function packWeights({ card, tensors }: Model, plan: Plan) {
  let size = 0;
  const parts = cellLayers(card.update).map((layer) => {
    const { data: kernel } = tensors.get(`update.${layer}.kernel`)!;
    const perceives = layer === 'perceive';
    const width = 4 * (layer === 'out' ? plan.outColumns : plan.hiddenColumns).all;
    const taps = perceives ? 9 : 1;
    const inputs = perceives ? card.channels : card.update.hidden;
    const rows = 4 * (perceives ? plan.channels : plan.hidden);
    const at = size;
    size += taps * rows * width;
    return { layer, kernel, taps, inputs, rows, width, at };
  });
  const values = new Float32Array(size);
  for (const { kernel, taps, inputs, rows, width, at } of parts) {
    const units = kernel.length / (taps * inputs);
    for (let tap = 0; tap < taps; tap++) {
      for (let i = 0; i < inputs; i++) {
        const from = (tap * inputs + i) * units;
        values.set(kernel.subarray(from, from + units), at + (tap * rows + i) * width);
      }
    }
  }
  const offsets = new Map(parts.map(({ layer, at }) => [layer, at / 4]));
  return { offsets, data: values };
}

export type RecordLayout = ReturnType<typeof recordLayout>;

/** Computes the offsets of the parts of a genome's record, in groups of four values. */
export function recordLayout(card: Card, plan: Plan) {
  const { update } = card;
  const modulated = update.genome ? genomeLayout(card).layers : {};
  const layers = new Map<string, { scales?: number; shifts: number }>();
  let at = 0;
  for (const layer of cellLayers(update)) {
    const { all } = layer === 'out' ? plan.outColumns : plan.hiddenColumns;
    const scaled = modulated[layer]?.scales !== undefined;
    layers.set(layer, { ...(scaled && { scales: at }), shifts: scaled ? at + all : at });
    at += scaled ? 2 * all : all;
  }
  const ownGroups = groupsOf(update.genome?.expressed ?? 0);
  const size = at + 4 * plan.hidden * ownGroups;
  return {
    /**
     * For each layer, 'perceive' first, the offsets of its shifts and of its scales, if it has any.
     * Shifts and scales each have as many groups as the layer has columns.
     */
    layers,
    /**
     * `own` is the offset of the genome's own weights for the last layer, [hidden rows, ownGroups].
     * They apply to the first `ownGroups` groups of channels.
     */
    ...{ own: at, ownGroups },
    size,
    /**
     * A patch has room for `MAX_GENOMES` records. After them, `mix` is the offset of a group for
     * each cell, with how much each genome counts for it.
     */
    ...{ mix: MAX_GENOMES * size, patchSize: MAX_GENOMES * size + card.side * card.side },
    /** Whether all patches share one record, which they do if the rule has no standing input. */
    shared: !update.standingInput,
  };
}

/**
 * Packs a genome's record, [size, 4].
 *
 * @param latent [Z]; absent if all patches share one record
 */
export function packRecord(
  model: Model,
  layout: RecordLayout,
  latent?: Float32Array,
): Float32Array<ArrayBuffer> {
  const { card, tensors } = model;
  const { channels, update } = card;
  const record = new Float32Array(4 * layout.size);
  const modulation = latent && readGenome(model, latent, Float64Array);
  const genome = genomeLayout(card);
  const parts: typeof genome.layers = update.genome
    ? { ...genome.layers, out: { shifts: genome.shifts } }
    : { perceive: { shifts: 0 } };
  for (const [layer, { scales, shifts }] of layout.layers) {
    const bias = tensors.get(`update.${layer}.bias`)?.data;
    const units = layer === 'out' ? channels : update.hidden;
    const from = parts[layer];
    for (let unit = 0; unit < units; unit++) {
      const scale = scales === undefined ? 1 : 1 + modulation![from.scales! + unit];
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
        const own = c < expressed ? modulation[genome.weights + unit * expressed + c] : 0;
        record[4 * layout.own + unit * width + c] = kernel[unit * channels + c] + own;
      }
    }
  }
  return record;
}
