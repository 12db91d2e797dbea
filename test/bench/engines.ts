/**
 * How fast each engine steps each net, how near that is to what its runtime can do, and what
 * sleepers cost.
 */

import { BACKEND_NAMES, type BackendName } from '../../server/engine/backend.ts';
import { EngineError } from '../../server/engine/engine.ts';
import { median, millions, rounded } from '../load/figures.ts';
import { describeMachine } from './machine.ts';
import { loadNets, type Net } from './nets.ts';
import type { BenchOptions, Log } from './options.ts';
import { GARDEN, ROUNDS, Stand } from './stand.ts';

type EngineFigures = ReturnType<typeof figuresOf>;

/** @throws CheckpointError */
export async function benchEngines(log: Log, { checkpoint, engine }: BenchOptions = {}) {
  const engines: EngineFigures[] = [];
  for (const net of await loadNets(checkpoint)) {
    const stands: Stand[] = [];
    for (const name of engine ? [engine] : BACKEND_NAMES) {
      const stand = await open(name, net, engine !== undefined, log);
      if (stand) stands.push(stand);
    }
    try {
      // In turn, so that what else the machine does meanwhile falls on all alike.
      for (let round = 0; round < ROUNDS; round++) for (const stand of stands) await stand.round();
    } finally {
      for (const stand of stands) await stand.close();
    }
    for (const stand of stands) {
      const figures = figuresOf(stand);
      engines.push(figures);
      for (const line of linesOf(figures)) log(line);
    }
  }
  return { machine: describeMachine(), engines };
}

async function open(
  name: BackendName,
  net: Net,
  named: boolean,
  log: Log,
): Promise<Stand | undefined> {
  try {
    return await Stand.open(name, net, named);
  } catch (error) {
    if (!(error instanceof EngineError) || error.reason !== 'unavailable') throw error;
    log(`left out: ${error.detail}`);
    return undefined;
  }
}

function figuresOf(stand: Stand) {
  const { name, net, engine, garden, sizes, peaks, memory } = stand;
  const shares = new Map<number, number>();
  const dense = sizes.map(({ patches, engine: through, bare }) => {
    const rate = median(through);
    const share = stand.shareOfPeak(rate);
    shares.set(patches, share);
    const figures = {
      /** Through the engine, as rooms step it: read-outs and messages between threads included. */
      cellsPerSecond: Math.round(rate),
      msPerStep: rounded((patches * stand.side ** 2 * 1000) / rate),
      /** The backend's steps alone, cells/s; null: it has none without its states. */
      bareCellsPerSecond: bare.length > 0 ? Math.round(median(bare)) : null,
      peakShare: rounded(share),
    };
    return [patches, figures] as const;
  });
  const measured = [...shares];
  const crowded = measured.filter(([patches]) => patches >= 64);
  const counted = crowded.length > 0 ? crowded : measured.slice(-1);
  const taken = [...garden].filter(([, samples]) => samples.length > 0);
  const ms = new Map(taken.map(([percent, samples]) => [percent, median(samples)]));
  const whole = ms.get(100);
  return {
    name,
    device: engine.info.device,
    net: net.model.card.name,
    side: stand.side,
    /** By number of patches, all awake and grown. */
    dense: Object.fromEntries(dense),
    /** Numbers of patches that were left out, and why. */
    skipped: Object.fromEntries(stand.skipped),
    /** The lowest of those with 64 patches or more; if there are none, that of the most. */
    peakShare: rounded(Math.min(...counted.map(([, share]) => share))),
    /** Best of a product of 1024×1024 matrices in the engine's own runtime. */
    peakGflops: rounded(Math.max(...peaks) / 1e9),
    /**
     * Cost of a garden with a tenth awake, by that of the same garden all awake; null: all awake
     * takes too long.
     */
    awake10Share: whole === undefined ? null : rounded(ms.get(10)! / whole),
    garden:
      whole === undefined
        ? null
        : {
            organisms: GARDEN,
            /** Of a step, by the percentage that is awake. */
            ms: Object.fromEntries([...ms].map(([percent, one]) => [percent, rounded(one)])),
          },
    /** Growth of resident memory: with the net loaded, and with the most patches at work. */
    memoryMiB: { started: Math.round(memory.started), full: Math.round(memory.full) },
  };
}

function linesOf(figures: EngineFigures): string[] {
  const { name, device, net, side, dense, skipped, peakGflops, garden, memoryMiB } = figures;
  const percent = (share: number | null): string =>
    share === null ? '' : `${(100 * share).toFixed(0).padStart(4)} % of peak`;
  const rows = Object.entries(dense).map(
    ([patches, { cellsPerSecond, msPerStep, bareCellsPerSecond, peakShare }]) =>
      `  ${patches.padStart(4)} patches ${millions(cellsPerSecond).padStart(8)} cells/s ` +
      `${`${msPerStep}`.padStart(6)} ms/step ${percent(peakShare)}${bareCellsPerSecond === null ? '' : `   step alone ${millions(bareCellsPerSecond)}`}`,
  );
  return [
    `${name}: ${device}; net of ${net}, patches of ${side}×${side}` +
      (peakGflops === null ? '' : `; peak ${peakGflops} GFLOP/s`),
    ...rows,
    ...Object.entries(skipped).map(
      ([size, why]) => `  ${size.padStart(4)} patches left out: ${why}`,
    ),
    garden
      ? `  garden of ${garden.organisms}: ${Object.values(garden.ms).join(' / ')} ms with ${Object.keys(garden.ms).join(' / ')} % awake; share of 10 % ${figures.awake10Share}`
      : '  garden left out: it takes too long',
    `  memory: +${memoryMiB.started} MiB with the net, +${memoryMiB.full} MiB with the most patches`,
  ];
}
