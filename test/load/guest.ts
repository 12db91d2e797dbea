/** One visitor of a load: a real connection that acknowledges each frame, and decodes it or only reads its head. */
import { createHash } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { parser } from '../../shared/protocol/parser.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { createEyes, type Eyes, readTick } from './eyes.ts';
import { type GuestPlan, HASH_EVERY } from './messages.ts';
import { sharedNow } from './time.ts';

/** What WebSocket adds to a message of so many bytes. */
const framing = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10);

export class Guest {
  readonly refusals: Record<string, number> = {};
  readonly tiers: Record<string, number> = {};
  /** Of frames: their ticks, and when they were handled. */
  ticks: number[] = [];
  times: number[] = [];
  /** Pictures seen, by tick. */
  readonly hashes = new Map<number, string>();
  bytes = 0;
  outOfStep = 0;
  lost = 0;
  lastTick = -1;
  room: Event<'welcome'>['room'] | undefined;
  private eyes: Eyes | undefined;
  private awaitsKeyframe = false;
  private nextId = 1;
  private readonly socket: Socket;

  constructor(
    url: string,
    room: string,
    readonly plan: GuestPlan,
  ) {
    this.socket = io(url, {
      parser,
      transports: ['websocket'],
      forceNew: true,
      // A page would dial again; one that has stopped reading is a phone in a pocket, and will not.
      reconnection: plan.line !== 'stalled',
      reconnectionDelay: 500,
    });
    this.socket.io.on('open', () => {
      this.socket.io.engine.on('packet', ({ data }: { data?: unknown }) => {
        const bytes = (data as ArrayLike<unknown> | undefined)?.length ?? 1;
        this.bytes += bytes + framing(bytes);
      });
    });
    this.socket.on('connect', () => this.send('join', { protocol: PROTOCOL_VERSION, room }));
    this.socket.on('disconnect', (reason) => {
      if (reason === 'io client disconnect') return;
      this.lost++;
      if (reason === 'io server disconnect' && plan.line !== 'stalled') this.socket.connect();
    });
    this.socket.on('welcome', (welcome: Event<'welcome'>) => {
      this.room = welcome.room;
      this.awaitsKeyframe = true;
      this.eyes = plan.verify ? createEyes(welcome.room) : undefined;
    });
    this.socket.on('frame', (frame: Uint8Array) => this.see(frame));
    this.socket.on('rejected', ({ reason }: Event<'rejected'>) => {
      this.refusals[reason] = (this.refusals[reason] ?? 0) + 1;
    });
  }

  /** A picture has come. */
  get joined(): boolean {
    return this.lastTick >= 0;
  }

  /** What was seen so far is not measured. */
  begin(): void {
    this.ticks = [];
    this.times = [];
    this.bytes = 0;
    this.outOfStep = 0;
    this.lost = 0;
  }

  cursor(x: number, y: number): void {
    this.send('cursor', { x, y, tool: 'plant' });
  }

  plant(x: number, y: number): void {
    this.send('plant', { id: this.nextId++, x, y, seed: { from: 'prior' } });
  }

  cut(points: number[]): void {
    this.send('damage', { id: this.nextId++, radius: 2, points });
  }

  leave(): void {
    this.socket.disconnect();
  }

  private send<N extends CommandName>(name: N, message: Command<N>): void {
    if (this.socket.connected) this.socket.emit(name, message);
  }

  private see(frame: Uint8Array): void {
    const { tick, tier, outOfStep } = this.eyes
      ? this.eyes.take(frame)
      : { ...readTick(frame), outOfStep: false };
    if (outOfStep) {
      this.outOfStep++;
      if (!this.awaitsKeyframe) this.send('resync', {});
      this.awaitsKeyframe = true;
      return;
    }
    this.awaitsKeyframe = false;
    this.send('received', { tick });
    this.lastTick = tick;
    this.ticks.push(tick);
    this.times.push(sharedNow());
    if (tier !== undefined) this.tiers[tier] = (this.tiers[tier] ?? 0) + 1;
    if (this.eyes && tick % HASH_EVERY === 0) {
      const { rgba, owner } = this.eyes.planes;
      this.hashes.set(tick, createHash('sha1').update(rgba).update(owner).digest('hex'));
    }
  }
}
