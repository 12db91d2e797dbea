/** One visitor of a load: a real connection that acknowledges each frame, and decodes it or only reads its head. */
import { io, type Socket } from 'socket.io-client';
import type { Command, CommandName } from '../../shared/protocol/commands.ts';
import type { Event } from '../../shared/protocol/events.ts';
import { parser } from '../../shared/protocol/parser.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.ts';
import { type Eyes, readTick } from './eyes.ts';
import type { GuestPlan } from './messages.ts';
import type { Onlookers } from './onlookers.ts';
import { sharedNow } from './time.ts';

/** What WebSocket adds to a message of so many bytes. */
const framing = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10);

export class Guest {
  readonly refusals: Record<string, number> = {};
  tiers: Record<string, number> = {};
  /** Of frames: their ticks, and when they were handled. */
  ticks: number[] = [];
  times: number[] = [];
  /** Frames whose every block was decoded and checked. */
  checked = 0;
  bytes = 0;
  outOfStep = 0;
  lost = 0;
  lastTick = -1;
  room: Event<'welcome'>['room'] | undefined;
  private eyes: Eyes | undefined;
  private nextId = 1;
  private readonly socket: Socket;

  constructor(
    url: string,
    room: string,
    readonly plan: GuestPlan,
    onlookers: Onlookers,
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
      this.eyes = plan.verify ? onlookers.open(welcome.room) : undefined;
      const { width, height } = welcome.room;
      const all = { hidden: false, x: 0, y: 0, width, height, pixels: 4 } as const;
      this.send('look', { ...all, best: plan.best });
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
    this.tiers = {};
    this.outOfStep = 0;
    this.checked = 0;
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
    const { tick, tier, lost } = this.eyes
      ? this.eyes.take(frame)
      : { ...readTick(frame), lost: [] };
    this.send('received', { tick });
    if (lost.length > 0) {
      this.outOfStep++;
      this.send('resync', { chunks: [...lost] });
    } else if (this.eyes) this.checked++;
    this.lastTick = tick;
    this.ticks.push(tick);
    this.times.push(sharedNow());
    if (tier !== undefined) this.tiers[tier] = (this.tiers[tier] ?? 0) + 1;
  }
}
