/** What a patch's cells express: the weights that its genomes give the rule. */
import { type Genomes, genomeWeights } from '../../vnca/chimera.ts';
import type { StepRule } from '../backend.ts';

/** The genomes that the cells of a patch read, as the patch's rule needs them. */
export class Expression {
  /** The result of `weightsAt` for the stage that was asked for last. */
  private weights: { readonly stage: number; readonly values: Float32Array } | undefined;

  /**
   * @param conditioning [genomes, K], the result of `StepRule.condition` for each genome; undefined
   * for rules without that method
   * @param labels [S, S] The genome that each cell reads; undefined if there is only one
   * @param latents the genomes, if known
   */
  constructor(
    readonly conditioning?: Float32Array,
    readonly labels?: Uint8Array,
    private readonly latents: readonly Float32Array[] = [],
  ) {}

  /** Returns a copy of the conditioning [K] of a latent, if it is one of the genomes. */
  rowOf(latent: Float32Array): Float32Array | undefined {
    const genome = this.latents.findIndex((own) => own.every((x, i) => x === latent[i]));
    if (genome < 0) return undefined;
    const width = this.conditioning!.length / this.latents.length;
    return this.conditioning!.slice(genome * width, (genome + 1) * width);
  }

  /** Computes how much each genome of a chimera counts for each cell, [genomes, s, s]. */
  weightsAt(stage: number): Float32Array {
    if (this.weights?.stage !== stage) {
      const count = 1 + this.labels!.reduce((most, label) => Math.max(most, label), 0);
      this.weights = { stage, values: genomeWeights(this.labels!, count, stage) };
    }
    return this.weights.values;
  }
}

const NONE = new Expression();

/**
 * Prepares genomes for a rule. Drops genomes that no cell reads, so that a chimera always has
 * several.
 *
 * @param before what the patch expressed before; its genomes need not be computed again
 */
export function express(
  { condition }: StepRule,
  { latents, labels }: Genomes,
  before: Expression = NONE,
): Expression {
  if (!condition) return NONE;
  const used = [...latents.keys()].filter((genome) => !labels || labels.includes(genome));
  const own = used.map((genome) => latents[genome].slice());
  const rows = own.map((latent) => before.rowOf(latent) ?? condition(latent));
  if (!labels || used.length === 1) return new Expression(rows[0], undefined, own);
  const [{ length }] = rows;
  const conditioning = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    conditioning.set(row, i * length);
  });
  const areAllUsed = used.length === latents.length;
  const ownLabels = areAllUsed ? labels.slice() : labels.map((label) => used.indexOf(label));
  return new Expression(conditioning, ownLabels, own);
}
