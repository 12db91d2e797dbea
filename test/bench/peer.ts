/** Compares a step of ours with the same step in PyTorch, alternating in one run. */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { BackendName } from '../../server/engine/backend.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import type { Model } from '../../server/vnca/checkpoint.ts';
import { createCondition, ownLayout } from '../../server/vnca/genome.ts';
import { median, rounded } from '../load/figures.ts';
import { type BenchOptions, describeMachine, type Log } from './options.ts';
import { latentOf, loadNets, Patches } from './patches.ts';
import { PEER_SCRIPT } from './peer-script.ts';
import { startPython } from './python.ts';

type PeerFigures = Awaited<ReturnType<typeof compare>>[number];

const SIZES = [16, 64, 256] as const;
const ROUNDS = 7;
/** Minimum duration of a measurement, in ms. Short steps are repeated. */
const ENOUGH_MS = 300;
/** Largest difference between states after one step. Beyond it, the steps are not the same. */
const TOLERANCE = 1e-3;

/** @throws CheckpointError, EngineError */
export async function benchPeer(log: Log, { checkpoint, engine }: BenchOptions = {}) {
  const nets = await loadNets(checkpoint);
  const peer = await startPeer(log);
  const rows: PeerFigures[] = [];
  try {
    for (const net of peer ? nets : []) {
      if (net.card.update.updateProbability < 1) {
        log(
          `${net.card.name} is left out, because its cells update at random, and PyTorch draws other random numbers`,
        );
      } else rows.push(...(await compare(net, engine, peer!, log)));
    }
  } finally {
    await peer?.close();
  }
  return { machine: describeMachine(), peer: rows };
}

async function compare(model: Model, wanted: BackendName | undefined, peer: Peer, log: Log) {
  const { name, side } = model.card;
  const engine = await createEngine({ checkpoints: [model], ...(wanted && { backend: wanted }) });
  const patches = await Patches.grow(engine, model);
  const { checkpoints: stock } = patches;
  const rows = [];
  try {
    log(
      `${engine.info.name}: ${engine.info.device}; ${peer.device}; net of ${name}, ${side}×${side}`,
    );
    await peer.take(model, stock, engine.info.device.startsWith('GPU'));
    for (const size of SIZES) {
      const { ways, after } = await peer.prepare(size);
      const runs = Object.keys(ways) as PeerRun[];
      const ids = Array.from({ length: size }, (_, patch) => patch);
      await patches.renew(size);
      await engine.step(ids.map((patch) => ({ patch, divide: false })));
      check(await engine.exportStates(ids), after, TOLERANCE);
      const times = Math.max(1, Math.ceil(ENOUGH_MS / (await patches.time(ids, 1))));
      const samples = new Map<PeerRun | 'ours', number[]>();
      const note = (what: PeerRun | 'ours', ms: number): void => {
        samples.set(what, [...(samples.get(what) ?? []), (size * side ** 2 * 1000) / ms]);
      };
      for (let round = 0; round < ROUNDS; round++) {
        await patches.renew(size);
        note('ours', await patches.time(ids, times));
        for (const run of runs) note(run, await peer.time(run, times));
      }
      const rate = (what: PeerRun | 'ours'): number => Math.round(median(samples.get(what)!));
      const ratioTo = (run: PeerRun): number | null =>
        samples.has(run) ? rounded(rate('ours') / rate(run)) : null;
      // Cells/s unless stated otherwise; ratios are ours by theirs.
      const row = {
        net: name,
        side,
        engine: engine.info.name,
        patches: size,
        /**
         * Our speed through the engine, as in rooms: with read-outs and messages between threads.
         */
        ours: rate('ours'),
        msPerStep: rounded((size * side ** 2 * 1000) / rate('ours')),
        /** PyTorch with the whole batch, in its faster memory layout, without read-outs. */
        pytorch: rate('whole'),
        ratio: ratioTo('whole')!,
        /** PyTorch with 16 patches at a time. */
        pytorchInPieces: rate('pieces'),
        ratioInPieces: ratioTo('pieces')!,
        /** PyTorch with compiled code, or null if it does not compile here. */
        pytorchCompiled: samples.has('compiled') ? rate('compiled') : null,
        ratioCompiled: ratioTo('compiled'),
        /** The fastest way of PyTorch. */
        pytorchWay: ways.whole!,
      };
      rows.push(row);
      log(JSON.stringify(row));
    }
  } finally {
    await engine.close();
  }
  return rows;
}

/** @throws Error the steps differ */
function check(ours: readonly Float32Array[], theirs: Float32Array, tolerance: number): void {
  let largest = 0;
  ours.forEach((state, patch) => {
    for (let i = 0; i < state.length; i++) {
      largest = Math.max(largest, Math.abs(state[i] - theirs[patch * state.length + i]));
    }
  });
  if (!(largest <= tolerance)) {
    throw new Error(
      `PyTorch's step differs from ours by ${largest}, so their speeds cannot be compared`,
    );
  }
}

/**
 * Ways of PyTorch to step a batch: as a whole; 16 patches at a time, which stay in the cache; or as
 * a whole with compiled code.
 */
type PeerRun = 'whole' | 'pieces' | 'compiled';
const PIECE = 16;

type Peer = NonNullable<Awaited<ReturnType<typeof startPeer>>>;

/** @returns undefined, with a message, if there is no python3 with torch */
async function startPeer(log: Log) {
  const python = await startPython(PEER_SCRIPT, log);
  if (!python) return undefined;
  // `blas` multiplies matrices, which convolutions do not use; null if unknown.
  const hello = python.hello as { version: string; cuda: boolean; blas: string | null };
  const { version, cuda, blas } = hello;
  const write = (name: string, data: Float32Array): Promise<void> =>
    writeFile(
      join(python.folder, `${name}.bin`),
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  return {
    /** Description for people. */
    device: `PyTorch ${version}${cuda ? ', CUDA' : ''}${blas ? `, BLAS ${blas}` : ''}`,
    /**
     * Takes a net and grown states [side, side, C], which patches copy in turn.
     *
     * @param gpu whether to compute on a GPU, if there is one
     */
    async take(model: Model, checkpoints: readonly Float32Array[], gpu: boolean) {
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
        ...{ what: 'net', gpu, threads: availableParallelism(), stock: checkpoints.length },
        ...{ side, channels, ...update },
        limit: update.stateLimit ?? null,
        own: ownLayout(card) ?? null,
        tensors: shapes,
      });
    },
    /**
     * Finds the fastest way for a number of patches.
     *
     * @returns the fastest way of each kind that can be timed; and the states after one step
     */
    async prepare(patches: number) {
      const ways = await python.ask({ what: 'prepare', patches, piece: PIECE });
      const bytes = await readFile(join(python.folder, 'after.bin'));
      return {
        ways: ways as Partial<Record<PeerRun, string>>,
        after: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
      };
    },
    /** Returns the mean duration of `times` steps, in ms. */
    time: (run: PeerRun, times: number) =>
      python.ask({ what: 'time', run, times }) as Promise<number>,
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
