/** Figures for Prometheus, in a registry of their own. None of them names anybody. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineInfo } from '../engine/engine.ts';
import type { TickTiming } from '../world/ticker.ts';
import type { RoomTick } from '../world/world.ts';

export interface MetricsOptions {
  readonly engine: EngineInfo;
  /** Looked at when figures are asked for. */
  readonly rooms: () => readonly {
    readonly name: string;
    readonly participants: number;
    readonly organisms: number;
    readonly awake: number;
    readonly rate: number;
    readonly tick: number;
  }[];
  /** What was turned away since the start, by reason. */
  readonly turned: () => Readonly<Record<string, number>>;
  /** Whether all that happens is kept; undefined: nothing is to be. */
  readonly keeping: () => boolean | undefined;
}

export interface Metrics {
  /** A tick of some rooms is done. */
  ticked(ticks: readonly RoomTick[]): void;
  timed(timing: TickTiming): void;
  /** @param duration ms */
  committed(duration: number): void;
  readonly contentType: string;
  text(): Promise<string>;
  close(): void;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function createMetrics({ engine, rooms, keeping, turned }: MetricsOptions): Metrics {
  const registers = [new Registry()];
  const [registry] = registers;
  // Event-loop delay, heap, file descriptors.
  collectDefaultMetrics({ register: registry });
  const name = (rest: string): string => `vivarium_${rest}`;
  const tick = new Histogram({
    name: name('tick_seconds'),
    help: 'From the beginning of a tick until all is kept, and told unless that is put off into the next one.',
    buckets: SECONDS,
    registers,
  });
  const late = new Histogram({
    name: name('tick_late_seconds'),
    help: 'How long after it was due a tick began.',
    buckets: SECONDS,
    registers,
  });
  const commit = new Histogram({
    name: name('commit_seconds'),
    help: 'From handing a tick to the journal until it is on the disk.',
    buckets: SECONDS,
    registers,
  });
  const cells = new Counter({ name: name('cells_stepped'), help: 'Cells stepped.', registers });
  const refused = new Counter({
    name: name('refused_total'),
    help: 'Commands that rooms refused.',
    labelNames: ['reason'],
    registers,
  });
  const accepted = new Counter({
    name: name('accepted_total'),
    help: 'Commands that rooms accepted.',
    registers,
  });
  const perRoom = ['participants', 'organisms', 'awake', 'rate', 'tick'] as const;
  for (const what of perRoom) {
    new Gauge({
      name: name(`room_${what}`),
      help: `Of each room: ${what}.`,
      labelNames: ['room'],
      registers,
      collect() {
        // A room that has been closed has no figures any more.
        this.reset();
        for (const room of rooms()) this.set({ room: room.name }, room[what]);
      },
    });
  }
  new Counter({
    name: name('turned_away_total'),
    help: 'What was turned away before it came into a room.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(turned())) this.inc({ reason }, count);
    },
  });
  new Gauge({
    name: name('keeping'),
    help: '1: all that happens is kept; 0: it is not, see the log; absent: it is not to be.',
    registers,
    collect() {
      const is = keeping();
      if (is === undefined) this.remove();
      else this.set(Number(is));
    },
  });
  new Gauge({
    name: name('engine'),
    help: 'Always 1; what steps the cells, as labels.',
    labelNames: ['name', 'device'],
    registers,
  }).set({ ...engine }, 1);
  return {
    timed({ late: after, took }) {
      late.observe(after / 1000);
      tick.observe(took / 1000);
    },
    ticked(ticks) {
      for (const { result, cells: stepped } of ticks) {
        cells.inc(stepped);
        for (const { refused: why } of result.answers) {
          if (why) refused.inc({ reason: why.reason });
          else accepted.inc();
        }
      }
    },
    committed: (duration) => commit.observe(duration / 1000),
    contentType: registry.contentType,
    text: () => registry.metrics(),
    close: () => registry.clear(),
  };
}
