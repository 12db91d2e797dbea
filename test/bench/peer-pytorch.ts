/** PyTorch with a net of ours. */

import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Model } from '../../server/vnca/checkpoint.ts';
import { createCondition, ownLayout } from '../../server/vnca/genome.ts';
import { latentOf } from './nets.ts';
import type { Log } from './options.ts';
import { PEER_SCRIPT } from './peer-script.ts';
import { startPython } from './python.ts';

/**
 * How PyTorch steps a batch: as a whole; so many patches at a time, which stay in the cache; or as a
 * whole, compiled.
 */
export type PeerRun = 'whole' | 'pieces' | 'compiled';
const PIECE = 16;

export interface Peer {
  /** For people. */
  readonly device: string;
  /**
   * Takes a net and grown states [side, side, C], which patches are copies of, over and over.
   *
   * @param on whether it shall compute on a GPU, if it can; and there in 16 bits
   */
  take(model: Model, checkpoints: readonly Float32Array[], gpu: boolean): Promise<void>;
  /**
   * Finds the fastest way for so many patches.
   *
   * @returns the ways, by what can be timed; and what the states are after one step, one patch
   * after the other
   */
  prepare(
    patches: number,
  ): Promise<{ ways: Partial<Record<PeerRun, string>>; after: Float32Array }>;
  /** ms of a step, the mean of so many. */
  time(run: PeerRun, times: number): Promise<number>;
  close(): Promise<void>;
}

/** @returns undefined, having said so, where there is no python3 with torch */
export async function startPeer(log: Log): Promise<Peer | undefined> {
  const python = await startPython(PEER_SCRIPT, log);
  if (!python) return undefined;
  const { version, cuda, blas } = python.hello as {
    version: string;
    cuda: boolean;
    /**
     * What it multiplies matrices with, which its convolutions do not use; null: it does not say.
     */
    blas: string | null;
  };
  const write = (name: string, data: Float32Array): Promise<void> =>
    writeFile(
      join(python.folder, `${name}.bin`),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  return {
    device: `PyTorch ${version}${cuda ? ', CUDA' : ''}${blas ? `, BLAS ${blas}` : ''}`,
    async take(model, checkpoints, gpu) {
      const { card, tensors } = model;
      const { update, channels, side } = card;
      const shapes: Record<string, readonly number[]> = {};
      for (const [name, { shape, data }] of tensors) {
        if (!name.startsWith('update.')) continue;
        shapes[name] = shape;
        await write(name, data);
      }
      await write('states', joined(checkpoints));
      const express = createCondition(model);
      if (express)
        await write('own', joined(checkpoints.map((_, i) => express(latentOf(model, i)))));
      await python.ask({
        what: 'net',
        gpu,
        threads: availableParallelism(),
        stock: checkpoints.length,
        side,
        channels,
        hidden: update.hidden,
        kind: update.kind,
        activation: update.activation,
        leak: update.leak,
        limit: update.stateLimit ?? null,
        own: ownLayout(card) ?? null,
        tensors: shapes,
      });
    },
    async prepare(patches) {
      const ways = await python.ask({ what: 'prepare', patches, piece: PIECE });
      const bytes = await readFile(join(python.folder, 'after.bin'));
      return {
        ways: ways as Partial<Record<PeerRun, string>>,
        after: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
      };
    },
    time: (run, times) => python.ask({ what: 'time', run, times }) as Promise<number>,
    close: python.close,
  };
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const [{ length }] = rows;
  const all = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    all.set(row, i * length);
  });
  return all;
}
