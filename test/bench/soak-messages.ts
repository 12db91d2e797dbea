/** What the processes of `soak.ts` say to each other. */

/** The server process's one argument. */
export interface ServerPlan {
  readonly data: string;
  readonly checkpoint: string;
  readonly engine?: string;
  readonly tickRate: number;
  readonly size: string;
  readonly maxOrganisms: number;
}

/** `begin` and `end` a stretch of ticks. */
export type ServerQuestion = 'hello' | 'state' | 'begin' | 'end';

export interface ServerHello {
  readonly port: number;
  readonly engine: string;
  readonly device: string;
  /** Side of a grown organism. */
  readonly side: number;
}

/** Of the server's process. */
export interface ServerState {
  /** Used after a collection, and all memory of the process's own, bytes: files that are mapped into it are not. */
  readonly heap: number;
  readonly memory: number;
  /** Open file descriptors; none where that cannot be told. */
  readonly files: number | undefined;
  /** Of all files of its data, bytes. */
  readonly store: number;
  readonly snapshots: number;
  readonly tick: number;
  readonly organisms: number;
  readonly awake: number;
  /** Whether all that happens is kept. */
  readonly keeping: boolean;
}

/** How ticks went in a stretch. */
export interface TickSpread {
  readonly ticks: number;
  /** How long after they were due ticks began, and how long they took, ms. */
  readonly late: { readonly p50: number; readonly p99: number };
  readonly took: { readonly p50: number; readonly p99: number };
  /** Of the machine when it ended: what else ran is in the figures. */
  readonly load: number;
}

/** The bots' one argument. */
export interface BotsPlan {
  readonly port: number;
  readonly bots: number;
  readonly side: number;
}

export type BotsQuestion = 'counts';

/** Since the start. */
export interface BotCounts {
  readonly accepted: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
  readonly joins: number;
  /** Connections that ended otherwise than by a bot's own will. */
  readonly lost: number;
  readonly frames: number;
}
