/** One visitor of a load: a real connection that acknowledges each frame, and decodes it or only reads its head. */
import type { Event } from '../../shared/protocol/events.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { type Eyes, readTick } from './eyes.ts';
import type { Mail } from './mail.ts';
import type { GuestPlan } from './messages.ts';
import type { Onlookers } from './onlookers.ts';
import { sharedNow } from './time.ts';
import { Wire } from './wire.ts';

/** ms */
const REDIAL = 500;

export class Guest {
  readonly refusals: Record<string, number> = {};
  tiers: Record<string, number> = {};
  /** Of frames: their ticks, and when they were handled. */
  ticks: number[] = [];
  times: number[] = [];
  /** Frames whose every block was decoded and checked. */
  checked = 0;
  outOfStep = 0;
  lost = 0;
  lastTick = -1;
  room: Event<'welcome'>['room'] | undefined;
  private eyes: Eyes | undefined;
  private nextId = 1;
  private readonly wire: Wire;

  constructor(
    url: string,
    room: string,
    readonly plan: GuestPlan,
    private readonly onlookers: Onlookers,
    mail: Mail,
  ) {
    this.wire = new Wire({
      ...{ url, mail },
      // A page would dial again; one that has stopped reading is a phone in a pocket, and will not.
      redial: plan.line === 'stalled' ? undefined : REDIAL,
      on: {
        connected: () => this.wire.send('join', { protocol: PROTOCOL_VERSION, room }),
        event: (name, message) => {
          if (name === 'frame') this.see(message as Event<'frame'>);
          else if (name === 'welcome') this.enter(message as Event<'welcome'>);
          else if (name === 'rejected') {
            const { reason } = message as Event<'rejected'>;
            this.refusals[reason] = (this.refusals[reason] ?? 0) + 1;
          }
        },
        lost: () => {
          this.lost++;
        },
      },
    });
  }

  /** A picture has come. */
  get joined(): boolean {
    return this.lastTick >= 0;
  }

  get bytes(): number {
    return this.wire.bytes;
  }

  /** What was seen so far is not measured. */
  begin(): void {
    this.ticks = [];
    this.times = [];
    this.wire.bytes = 0;
    this.tiers = {};
    this.outOfStep = 0;
    this.checked = 0;
    this.lost = 0;
  }

  cursor(x: number, y: number): void {
    this.wire.send('cursor', { x, y, tool: 'plant' });
  }

  plant(x: number, y: number): void {
    this.wire.send('plant', { id: this.nextId++, x, y, seed: { from: 'prior' } });
  }

  cut(points: number[]): void {
    this.wire.send('damage', { id: this.nextId++, radius: 2, points });
  }

  leave(): void {
    this.wire.close();
  }

  private enter({ room }: Event<'welcome'>): void {
    this.room = room;
    this.eyes = this.plan.verify ? this.onlookers.open(room) : undefined;
    const { width, height } = room;
    const all = { hidden: false, x: 0, y: 0, width, height, pixels: 4 } as const;
    this.wire.send('look', { ...all, best: this.plan.best });
  }

  private see(frame: Uint8Array): void {
    const { tick, tier, lost } = this.eyes
      ? this.eyes.take(frame)
      : { ...readTick(frame), lost: [] };
    this.wire.send('received', { tick });
    if (lost.length > 0) {
      this.outOfStep++;
      this.wire.send('resync', { chunks: [...lost] });
    } else if (this.eyes) this.checked++;
    this.lastTick = tick;
    this.ticks.push(tick);
    this.times.push(sharedNow());
    if (tier !== undefined) this.tiers[tier] = (this.tiers[tier] ?? 0) + 1;
  }
}
