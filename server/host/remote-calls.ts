/** Sends the host's calls to the server that they are for, over the bus of a cluster. */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { DEFAULTS } from '../../shared/defaults.ts';
import { CALLS, type CallName } from '../../shared/host/api.ts';
import { HOST_REASONS, type HostReason, HostRefusal } from '../../shared/host/reasons.ts';
import type { JobState, RoomSummary } from '../../shared/host/state.ts';
import { type Bus, decodeMessage, encodeMessage, type Subscription } from '../cluster/bus/bus.ts';
import type { RelayTarget } from '../cluster/bus/request-relay.ts';
import type { ClusterRooms } from '../rooms/cluster-rooms.ts';
import type { Parts } from './calls.ts';
import type { FilmJobs } from './film-jobs.ts';
import type { HostContext } from './host-context.ts';

const { patience, beat, glance }: Readonly<Record<'patience' | 'beat' | 'glance', number>> =
  DEFAULTS.cluster.hostCalls;
/** Calls for rooms that no server runs: any server that runs rooms can execute them. */
const OF_ANY_OWNER: ReadonlySet<string> = new Set(['createRoom', 'openRoom', 'removeRoom']);
const CHANNEL = 'host:calls';
const replyChannel = (node: string): string => `host:answers:${node}`;

const id = v.pipe(v.string(), v.maxLength(64));
const callMessage = v.strictObject({
  ...{ id, from: id },
  name: v.custom<CallName>((name) => typeof name === 'string' && Object.hasOwn(CALLS, name)),
  body: v.unknown(),
  parts: v.record(v.string(), v.string()),
  /** Another room than that of `parts`, whose server is asked. */
  of: v.optional(id),
  /** Name of the server that is asked, whatever it runs. */
  to: v.optional(id),
});
const answerMessage = v.strictObject({
  id,
  /** The call is still being executed; the answer follows. */
  underWay: v.optional(v.literal(true)),
  answer: v.optional(v.unknown()),
  refusal: v.optional(
    v.strictObject({
      reason: v.picklist(HOST_REASONS),
      detail: v.string(),
    }),
  ),
});

type CallMessage = v.InferOutput<typeof callMessage>;
type AnswerMessage = v.InferOutput<typeof answerMessage>;

export interface RemoteCallsOptions extends Pick<HostContext, 'clock'> {
  readonly bus: Bus;
  readonly cluster: ClusterRooms;
  readonly films: Pick<FilmJobs, 'states'>;
  /** Executes a call here. */
  readonly handle: (name: CallName, body: unknown, parts: Parts) => unknown;
}

/**
 * The server that a call or file is for: the named one, the one that has made the film, or the one
 * that runs the room.
 *
 * @returns undefined: this one
 * @throws HostRefusal no-such-server
 */
export function targetOf(
  { room, server, job }: Parts,
  { cluster, films }: { readonly films: Pick<FilmJobs, 'states'> } & Pick<HostContext, 'cluster'>,
): RelayTarget | undefined {
  if (!cluster) return undefined;
  if (server !== undefined && !cluster.knows(server)) throw new HostRefusal('no-such-server');
  const hasFilm = (jobs: readonly JobState[]): boolean => jobs.some(({ id }) => id === job);
  const elsewhere = hasFilm(films.states) ? [] : [...cluster.filmsElsewhere];
  const name = server ?? elsewhere.find(([, jobs]) => hasFilm(jobs))?.[0];
  if (name !== undefined) return name === cluster.name ? undefined : { server: name };
  return room !== undefined && cluster.isElsewhere(room) ? { room } : undefined;
}

/** Whether this server is a target. */
export const isTarget = (
  target: RelayTarget,
  cluster: Pick<ClusterRooms, 'name' | 'roomServers' | 'isElsewhere'>,
): boolean =>
  'server' in target
    ? target.server === cluster.name
    : cluster.roomServers.has(target.room) && !cluster.isElsewhere(target.room);

export class RemoteCalls {
  private readonly node = randomUUID();
  private readonly waiting = new Map<string, (answer: AnswerMessage) => void>();
  private subscriptions: readonly Subscription[] = [];
  /** Each ends the signs that a call is still being executed. */
  private readonly beats = new Set<() => void>();

  private constructor(private readonly options: RemoteCallsOptions) {}

  /** @throws Error the bus has been closed */
  static async open(options: RemoteCallsOptions): Promise<RemoteCalls> {
    const calls = new RemoteCalls(options);
    const { bus } = options;
    calls.subscriptions = [
      await bus.subscribe(CHANNEL, (bytes) => void calls.serve(bytes)),
      await bus.subscribe(replyChannel(calls.node), (bytes) => calls.receive(bytes)),
    ];
    return calls;
  }

  close(): void {
    for (const subscription of this.subscriptions) subscription.close();
    for (const stop of this.beats) stop();
  }

  /** Executes a call, here or at the server that it is for. @throws HostRefusal */
  call(name: CallName, body: unknown, parts: Parts): unknown {
    const { cluster, handle } = this.options;
    const target = targetOf(parts, this.options);
    const call = { name, body, parts: { ...parts } };
    if (target && 'server' in target) {
      return this.ask({ ...call, to: target.server }, patience, 'no-such-server');
    }
    // First, as a room that was just closed may seem to be open here.
    const of = OF_ANY_OWNER.has(name) ? cluster.ownedElsewhere(parts.room) : undefined;
    if (of !== undefined) return this.ask({ ...call, of });
    return target ? this.ask(call) : handle(name, body, parts);
  }

  /**
   * Lets another server execute a call.
   *
   * @param time how long to wait for its answer, or a sign that it is still at work, ms
   * @param otherwise why the call is refused if no server answers
   * @throws HostRefusal as there; `otherwise`
   */
  private async ask(
    call: Omit<CallMessage, 'id' | 'from'>,
    time = patience,
    otherwise: HostReason = 'elsewhere',
  ): Promise<unknown> {
    const { bus, clock } = this.options;
    const id = randomUUID();
    let cancel = (): void => {};
    try {
      const { answer, refusal } = await new Promise<AnswerMessage>((resolve, reject) => {
        const wait = (): void => {
          cancel();
          cancel = clock.after(time, () => reject(new HostRefusal(otherwise)));
        };
        wait();
        this.waiting.set(id, (received) => (received.underWay ? wait() : resolve(received)));
        bus.publish(CHANNEL, encodeMessage({ id, from: this.node, ...call }));
      });
      if (refusal) throw new HostRefusal(refusal.reason, refusal.detail);
      return answer;
    } finally {
      cancel();
      this.waiting.delete(id);
    }
  }

  /** A room's summary from the server that runs it. @param known is returned if none answers */
  async summary(known: RoomSummary): Promise<RoomSummary> {
    const { name: room } = known;
    if (!this.options.cluster.isElsewhere(room)) return known;
    const call = { name: 'room', body: {}, parts: { room } } as const;
    const all = (await this.ask(call, glance).catch(() => known)) as RoomSummary;
    const keys = Object.keys(known) as (keyof RoomSummary)[];
    return Object.fromEntries(keys.map((key) => [key, all[key]])) as unknown as RoomSummary;
  }

  private async serve(bytes: Uint8Array): Promise<void> {
    const { bus, handle, cluster } = this.options;
    const call = decodeMessage(callMessage, bytes);
    if (!call) return;
    const { name, parts, to } = call;
    const room = call.of ?? parts.room;
    const target = to !== undefined ? { server: to } : room !== undefined ? { room } : undefined;
    if (!target || !isTarget(target, cluster)) return;
    const send = (more: Omit<AnswerMessage, 'id'>): void => {
      bus.publish(replyChannel(call.from), encodeMessage({ id: call.id, ...more }));
    };
    const stop = this.again(() => send({ underWay: true }));
    const answer = await answerOf(() => {
      const body = v.safeParse(CALLS[name].body, call.body);
      if (!body.success) throw new HostRefusal('bad-call');
      return handle(name, body.output, parts);
    });
    stop();
    send(answer);
  }

  /** Repeats work at each beat. @returns ends that */
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

  private receive(bytes: Uint8Array): void {
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
