/**
 * The cell rule on tensors: perceive, update, step. Pure functions of tensors on whatever TensorFlow.js backend is
 * set; whoever calls them owns what they return.
 *
 * Nets: 'res4' and 'simple' as in Palm et al. 2022 (code of 2021); 'residual' is ours. ELU has α = 1.
 */
import * as tf from '@tensorflow/tfjs-core';
import { RES4_BLOCKS, updateShapes } from './architecture.ts';
import type { Card } from './card.ts';
import type { Model } from './checkpoint.ts';

/** Weights of an update net on the backend; dispose them with `disposeRule`. */
export interface Rule {
  readonly update: Card['update'];
  /** By name, as in `updateShapes`. */
  readonly weights: ReadonlyMap<string, tf.Tensor>;
}

export interface StepInput {
  /** [N, hidden] of `genomeBias`, for rules with a standing input. */
  readonly genome?: tf.Tensor2D;
  /** [N, H, W, 1], 1 = the cell takes part; absent: all do. */
  readonly mask?: tf.Tensor4D;
}

/** Puts a model's update net on the backend. */
export function createRule({ card, tensors }: Model): Rule {
  const weights = new Map<string, tf.Tensor>();
  for (const [name, shape] of updateShapes(card)) {
    weights.set(name, tf.tensor(tensors.get(name)!.data, [...shape], 'float32'));
  }
  return { update: card.update, weights };
}

export function disposeRule(rule: Rule): void {
  for (const weight of rule.weights.values()) weight.dispose();
}

/** What the standing input adds to the first layer of every cell: latents [N, Z] → [N, hidden]. */
export function genomeBias(rule: Rule, latents: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(latents, kernel(rule, 'genome'));
}

/**
 * One step of every cell, s ← clamp(s + mask · u(s)).
 *
 * @param states [N, H, W, C]; what lies outside a patch reads as zero
 * @returns [N, H, W, C]
 */
export function stepStates(rule: Rule, states: tf.Tensor4D, input: StepInput = {}): tf.Tensor4D {
  return tf.tidy(() => {
    const changes = updateCells(rule, perceive(rule, states, input.genome));
    const moved = tf.add(states, input.mask ? tf.mul(changes, input.mask) : changes);
    const limit = rule.update.stateLimit;
    return (limit === undefined ? moved : tf.clipByValue(moved, -limit, limit)) as tf.Tensor4D;
  });
}

/** What cells perceive: the learned 3×3 convolution, [N, H, W, C] → [N, H, W, hidden]. */
export function perceive(rule: Rule, states: tf.Tensor4D, genome?: tf.Tensor2D): tf.Tensor4D {
  return tf.tidy(() => {
    const seen = tf.fused.conv2d({
      x: states,
      filter: kernel(rule, 'perceive'),
      bias: rule.weights.get('update.perceive.bias') as tf.Tensor1D,
      strides: 1,
      pad: 'same',
    });
    if (!genome) return seen;
    return tf.add(seen, tf.reshape(genome, [genome.shape[0], 1, 1, genome.shape[1]]));
  });
}

/** How cells want to change: perception [N, H, W, hidden] → [N, H, W, C]. */
export function updateCells(rule: Rule, perception: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const [n, height, width, hidden] = perception.shape;
    const cells = tf.reshape(perception, [n * height * width, hidden]) as tf.Tensor2D;
    const changes = dense(rule, 'out', trunk(rule, cells));
    return tf.reshape(changes, [n, height, width, changes.shape[1]]);
  });
}

/** What happens to single cells between the first layer and the last: [cells, hidden] → [cells, hidden]. */
function trunk(rule: Rule, cells: tf.Tensor2D): tf.Tensor2D {
  switch (rule.update.kind) {
    case 'simple':
      return tf.elu(cells);
    case 'residual': {
      const h = tf.elu(cells);
      return tf.add(h, tf.elu(dense(rule, 'hidden', h)));
    }
    case 'res4': {
      let h = cells;
      for (let i = 0; i < RES4_BLOCKS; i++) {
        const inner = tf.elu(dense(rule, `block${i}.inner`, h));
        h = tf.add(h, dense(rule, `block${i}.outer`, inner));
      }
      return h;
    }
  }
}

/** A 1×1 convolution is a matrix product over cells. */
function dense(rule: Rule, layer: string, cells: tf.Tensor2D): tf.Tensor2D {
  const bias = rule.weights.get(`update.${layer}.bias`) as tf.Tensor1D | undefined;
  const product = { a: cells, b: kernel<tf.Tensor2D>(rule, layer) };
  return tf.fused.matMul(bias ? { ...product, bias } : product) as tf.Tensor2D;
}

function kernel<T extends tf.Tensor = tf.Tensor4D>(rule: Rule, layer: string): T {
  return rule.weights.get(`update.${layer}.kernel`) as T;
}
