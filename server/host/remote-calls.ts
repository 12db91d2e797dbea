/** Passes the host's calls for a room to the server that runs it, and those for a server to that. */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { CALLS, type CallName } from '../../shared/host/api.ts';
import { HOST_REASONS, type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import type { RoomSummary } from '../../shared/host/state.ts';
import { type Bus, decodeMessage, encodeMessage, type Subscription } from '../cluster/bus/bus.ts';
import type { Clock } from '../platform/clock.ts';
import type { Handlers, Parts } from './api.ts';

const { patience, beat, glance }: Readonly<Record<'patience' | 'beat' | 'glance', number>> =
  DEFAULTS.cluster.hostCalls;
/** Of rooms that no server runs: any server that runs others can do them. */
const OF_ANY_OWNER: ReadonlySet<string> = new Set(['createRoom', 'openRoom', 'removeRoom']);
const CHANNEL = 'host:calls';
const replyChannel = (node: string): string => `host:answers:${node}`;

const id = v.pipe(v.string(), v.maxLength(64));
const callMessage = v.strictObject({
  ...{ id, from: id },
  name: v.custom<CallName>((name) => typeof name === 'string' && Object.hasOwn(CALLS, name)),
  body: v.unknown(),
  parts: v.record(v.string(), v.string()),
  /** The room whose server is asked; undefined: that of the call. */
  of: v.optional(id),
  /** The server that is asked, whatever it runs. */
  to: v.optional(id),
});
const answerMessage = v.strictObject({
  id,
  /** It is still being done; the answer follows. */
  underWay: v.optional(v.literal(true)),
  answer: v.optional(v.unknown()),
  refusal: v.optional(
    v.strictObject({
      reason: v.picklist(HOST_REASONS),
      detail: v.string(),
    }),
  ),
});

type AnyHandler = (body: unknown, parts: Parts) => unknown;

export interface RemoteCallsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Whether a room runs on this server. */
  readonly isHere: (room: string) => boolean;
  /** Whether a room runs, or should run, on another one. */
  readonly isElsewhere: (room: string) => boolean;
  /** See `RoomRegistry.ledElsewhere`. */
  readonly ledElsewhere: (except: string | undefined) => string | undefined;
  /** What this server is called. */
  readonly name: string;
  /** The server that a call is for, whatever it runs. @throws HostRefusal no-such-server */
  readonly serverFor: (parts: Parts) => string | undefined;
  readonly handlers: Handlers;
}

export class RemoteCalls {
  /** What the API calls: as `handlers`, but those of rooms elsewhere are asked there. */
  readonly handlers: Handlers;
  private readonly node = randomUUID();
  private readonly waiting = new Map<
    string,
    (answer: v.InferOutput<typeof answerMessage>) => void
  >();
  private subscriptions: readonly Subscription[] = [];
  /** End what says of calls that they are still being done. */
  private readonly beats = new Set<() => void>();

  private constructor(private readonly options: RemoteCallsOptions) {
    const { handlers, isElsewhere, ledElsewhere, serverFor, name: own } = options;
    this.handlers = Object.fromEntries(
      Object.entries(handlers).map(([name, handle]) => [
        name,
        (body: unknown, parts: Parts) => {
          const { room } = parts;
          const to = serverFor(parts);
          if (to !== undefined && to !== own) {
            return this.ask(name as CallName, body, parts, { to, otherwise: 'no-such-server' });
          }
          // First, as a room that was just closed may seem to be open here.
          const of = OF_ANY_OWNER.has(name) ? ledElsewhere(room) : undefined;
          const isAsked = room !== undefined && isElsewhere(room);
          return isAsked || of !== undefined
            ? this.ask(name as CallName, body, parts, { of })
            : (handle as AnyHandler)(body, parts);
        },
      ]),
    ) as unknown as Handlers;
  }

  /** @throws Error the bus has been closed */
  static async open(options: RemoteCallsOptions): Promise<RemoteCalls> {
    const calls = new RemoteCalls(options);
    const { bus } = options;
    calls.subscriptions = [
      await bus.subscribe(CHANNEL, (bytes) => void calls.serve(bytes)),
      await bus.subscribe(replyChannel(calls.node), (bytes) => calls.hear(bytes)),
    ];
    return calls;
  }

  close(): void {
    for (const subscription of this.subscriptions) subscription.close();
    for (const stop of this.beats) stop();
  }

  /**
   * Has the server that runs a room do a call.
   *
   * @param asked.of another room than that of the call
   * @param asked.to the server
   * @param asked.time how long to wait for its answer, or its word that it is still at work, ms
   * @param asked.otherwise why it is refused if nobody answers
   * @throws HostRefusal as there; elsewhere: nobody does
   */
  private async ask(
    name: CallName,
    body: unknown,
    parts: Parts,
    asked: {
      readonly of?: string | undefined;
      readonly to?: string;
      readonly time?: number;
      readonly otherwise?: HostReason;
    } = {},
  ): Promise<unknown> {
    const { of, to, time = patience, otherwise = 'elsewhere' } = asked;
    const { bus, clock } = this.options;
    const call = randomUUID();
    let cancel = (): void => {};
    try {
      const { answer, refusal } = await new Promise<v.InferOutput<typeof answerMessage>>(
        (resolve, reject) => {
          const wait = (): void => {
            cancel();
            cancel = clock.after(time, () => reject(new HostRefusal(otherwise)));
          };
          wait();
          this.waiting.set(call, (heard) => (heard.underWay ? wait() : resolve(heard)));
          const message = {
            ...{ id: call, from: this.node, name, body, parts: { ...parts } },
            ...(of !== undefined && { of }),
            ...(to !== undefined && { to }),
          };
          bus.publish(CHANNEL, encodeMessage(message));
        },
      );
      if (refusal) throw new HostRefusal(refusal.reason, refusal.detail);
      return answer;
    } finally {
      cancel();
      this.waiting.delete(call);
    }
  }

  /** A room's state, as its server knows it. @param known what is shown if nobody says it */
  async summary(room: string, known: RoomSummary): Promise<RoomSummary> {
    if (!this.options.isElsewhere(room)) return known;
    const asked = this.ask('room', {}, { room }, { time: glance }) as Promise<RoomSummary>;
    const all = await asked.catch(() => known);
    const keys = Object.keys(known) as (keyof RoomSummary)[];
    return Object.fromEntries(keys.map((key) => [key, all[key]])) as unknown as RoomSummary;
  }

  private async serve(bytes: Uint8Array): Promise<void> {
    const { bus, handlers, isHere, name: own } = this.options;
    const call = decodeMessage(callMessage, bytes);
    if (!call) return;
    const room = call.of ?? call.parts.room;
    const isForThis = call.to === undefined ? room !== undefined && isHere(room) : call.to === own;
    if (!isForThis) return;
    const { name, parts } = call;
    const send = (more: Omit<v.InferOutput<typeof answerMessage>, 'id'>): void => {
      bus.publish(replyChannel(call.from), encodeMessage({ id: call.id, ...more }));
    };
    const stop = this.again(() => send({ underWay: true }));
    const answer = await answerOf(() => {
      const body = v.safeParse(CALLS[name].body, call.body);
      if (!body.success) throw new HostRefusal('bad-call');
      const handle = handlers[name as keyof Handlers] as AnyHandler | undefined;
      if (!handle) throw new HostRefusal('unknown-call');
      return handle(body.output, parts);
    });
    stop();
    send(answer);
  }

  /** Does something at each beat. @returns ends that */
  private again(work: () => void): () => void {
    const { clock } = this.options;
    const next = (): (() => void) =>
      clock.after(beat, () => {
        work();
        cancel = next();
      });
    let cancel = next();
    const stop = (): void => {
      cancel();
      this.beats.delete(stop);
    };
    this.beats.add(stop);
    return stop;
  }

  private hear(bytes: Uint8Array): void {
    const answer = decodeMessage(answerMessage, bytes);
    if (answer) this.waiting.get(answer.id)?.(answer);
  }
}

async function answerOf(work: () => unknown) {
  try {
    return { answer: (await work()) ?? {} };
  } catch (error) {
    const { reason = 'failed', detail = '' } = error instanceof HostRefusal ? error : {};
    return { refusal: { reason, detail } };
  }
}
