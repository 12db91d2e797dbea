/** The same step here and in PyTorch, in turn in one run. */

import type { BackendName } from '../../server/engine/backend.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import type { Model } from '../../server/vnca/checkpoint.ts';
import { median, millions, rounded } from '../load/figures.ts';
import { describeMachine } from './machine.ts';
import { loadNets } from './nets.ts';
import type { BenchOptions, Log } from './options.ts';
import { Patches } from './patches.ts';
import { type Peer, type PeerRun, startPeer } from './peer-pytorch.ts';

type PeerFigures = Awaited<ReturnType<typeof compare>>[number];

const SIZES = [16, 64, 256] as const;
const ROUNDS = 7;
/** To time a step by: short ones are repeated. */
const ENOUGH_MS = 300;
/** Largest difference of a state after one step: beyond, it is not the same step. */
const TOLERANCE = 1e-3;

/** @throws CheckpointError, EngineError */
export async function benchPeer(log: Log, { checkpoint, engine }: BenchOptions = {}) {
  const nets = await loadNets(checkpoint);
  const peer = await startPeer(log);
  const rows: PeerFigures[] = [];
  try {
    for (const net of peer ? nets : []) {
      if (net.card.update.updateProbability < 1) {
        log(`${net.card.name} left out: its cells update by chance, each library's own`);
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
        /** Through the engine, as rooms step it: with read-outs, and messages between threads. */
        ours: rate('ours'),
        msPerStep: rounded((size * side ** 2 * 1000) / rate('ours')),
        /** The batch as a whole, in the faster memory layout; states alone, without read-outs. */
        pytorch: rate('whole'),
        ratio: ratioTo('whole')!,
        /** The same in PyTorch, 16 patches at a time: what it could do, were it fed so. */
        pytorchInPieces: rate('pieces'),
        ratioInPieces: ratioTo('pieces')!,
        /** Compiled by PyTorch; null: it does not compile here. */
        pytorchCompiled: samples.has('compiled') ? rate('compiled') : null,
        ratioCompiled: ratioTo('compiled'),
        /** How PyTorch was fastest. */
        pytorchWay: ways.whole!,
      };
      rows.push(row);
      log(lineOf(row));
    }
  } finally {
    await engine.close();
  }
  return rows;
}

/** @throws Error the two are not the same step */
function check(ours: readonly Float32Array[], theirs: Float32Array, tolerance: number): void {
  let largest = 0;
  ours.forEach((state, patch) => {
    for (let i = 0; i < state.length; i++) {
      largest = Math.max(largest, Math.abs(state[i] - theirs[patch * state.length + i]));
    }
  });
  if (!(largest <= tolerance)) {
    throw new Error(`PyTorch's step differs from ours by ${largest}: there is nothing to compare`);
  }
}

function lineOf(row: PeerFigures): string {
  const compiled =
    row.pytorchCompiled === null ? '' : `, compiled ${millions(row.pytorchCompiled)}`;
  const compiledRatio = row.ratioCompiled === null ? '' : `, to compiled ${row.ratioCompiled}`;
  return (
    `  ${`${row.patches}`.padStart(3)} patches: ours ${row.msPerStep} ms, ` +
    `${millions(row.ours)} cells/s; ` +
    `PyTorch ${millions(row.pytorch)} ` +
    `(${row.pytorchWay}; 16 at a time ${millions(row.pytorchInPieces)}${compiled}); ` +
    `ratio ${row.ratio}, to 16 at a time ${row.ratioInPieces}${compiledRatio}`
  );
}
