/** The same step here and in PyTorch, in turn in one run. */

import type { BackendName } from '../../server/engine/backend.ts';
import { createEngine } from '../../server/engine/create-engine.ts';
import { median, millions, rounded } from '../load/figures.ts';
import { startBare } from './bare.ts';
import { describeMachine } from './machine.ts';
import { flopPerCell, loadNets, type Net } from './nets.ts';
import type { BenchOptions, Log } from './options.ts';
import { Patches } from './patches.ts';
import { type Peer, type PeerRun, startPeer } from './peer-pytorch.ts';
import { PRODUCT_FLOP } from './product.ts';

type PeerFigures = Awaited<ReturnType<typeof compare>>[number];

const SIZES = [16, 64, 256] as const;
const ROUNDS = 7;
const PRODUCTS = 3;
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
      if (net.model.card.update.updateProbability < 1) {
        log(`${net.model.card.name} left out: its cells update by chance, each library's own`);
      } else rows.push(...(await compare(net, engine, peer!, log)));
    }
  } finally {
    await peer?.close();
  }
  return { machine: describeMachine(), peer: rows };
}

async function compare(net: Net, wanted: BackendName | undefined, peer: Peer, log: Log) {
  const { model } = net;
  const { name, side } = model.card;
  const engine = await createEngine({ checkpoints: [model], ...(wanted && { backend: wanted }) });
  const patches = await Patches.grow(engine, model);
  const { checkpoints: stock } = patches;
  const backend = engine.info.name as BackendName;
  const bare = await startBare({ name: backend, folder: net.folder }, stock);
  const rows = [];
  /** Of the fastest big product in our runtime, of all sizes' runs. */
  let productMs = Number.POSITIVE_INFINITY;
  try {
    log(
      `${engine.info.name}: ${engine.info.device}; ${peer.device}; net of ${name}, ${side}×${side}`,
    );
    await peer.take(net, stock, engine.info.device.startsWith('GPU'));
    for (const size of SIZES) {
      const { ways, after } = await peer.prepare(size);
      const runs = Object.keys(ways) as PeerRun[];
      const ids = Array.from({ length: size }, (_, patch) => patch);
      await patches.renew(size);
      await engine.step(ids.map((patch) => ({ patch, divide: false })));
      check(await engine.exportStates(ids), after, TOLERANCE);
      const times = Math.max(1, Math.ceil(ENOUGH_MS / (await patches.time(ids, 1))));
      const samples = new Map<PeerRun | 'ours' | 'alone', number[]>();
      const note = (what: PeerRun | 'ours' | 'alone', ms: number): void => {
        samples.set(what, [...(samples.get(what) ?? []), (size * side ** 2 * 1000) / ms]);
      };
      for (let round = 0; round < ROUNDS; round++) {
        await patches.renew(size);
        note('ours', await patches.time(ids, times));
        for (const run of runs) note(run, await peer.time(run, times));
        const alone = await bare.timeStep(size, times);
        if (alone !== null) note('alone', alone);
        productMs = Math.min(productMs, await bare.timeProduct(PRODUCTS));
      }
      const rate = (what: PeerRun | 'ours' | 'alone'): number =>
        Math.round(median(samples.get(what)!));
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
        /**
         * Our steps without read-outs, as PyTorch's are; null: this backend has none without its
         * states.
         */
        oursStepAlone: samples.has('alone') ? rate('alone') : null,
        ratioStepAlone: samples.has('alone') ? rounded(rate('alone') / rate('whole')) : null,
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
    }
  } finally {
    await bare.close();
    await engine.close();
  }
  const peak = (PRODUCT_FLOP / productMs) * 1000;
  const figures = rows.map((row) => ({
    ...row,
    /** Of the best that our runtime multiplies big matrices with, without the tiles' savings. */
    peakShare: rounded((row.ours * flopPerCell(model)) / peak),
  }));
  for (const row of figures) log(lineOf(row));
  return figures;
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
  const alone = row.oursStepAlone === null ? '' : ` (step alone ${millions(row.oursStepAlone)})`;
  const peak = row.peakShare > 0 ? `, ${(100 * row.peakShare).toFixed(0)} % of peak` : '';
  const aloneRatio = row.ratioStepAlone === null ? '' : ` (step alone ${row.ratioStepAlone})`;
  const compiledRatio = row.ratioCompiled === null ? '' : `, to compiled ${row.ratioCompiled}`;
  return (
    `  ${`${row.patches}`.padStart(3)} patches: ours ${row.msPerStep} ms, ` +
    `${millions(row.ours)} cells/s${alone}${peak}; ` +
    `PyTorch ${millions(row.pytorch)} ` +
    `(${row.pytorchWay}; 16 at a time ${millions(row.pytorchInPieces)}${compiled}); ` +
    `ratio ${row.ratio}${aloneRatio}, to 16 at a time ${row.ratioInPieces}${compiledRatio}`
  );
}
