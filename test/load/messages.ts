/** Messages between the processes of the load tool. */

import type { TierName } from '../../shared/codec/tiers.ts';

/** The server process's one argument. */
export interface HostPlan {
  /** Flags of `npm start` without their dashes. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Grown first. */
  readonly organisms: number;
}

export type GatewayQuestion = 'port' | 'begin' | 'end';

/** `enliven`: from now on something is planted and cut each second. */
export type HostQuestion = 'hello' | 'memory' | 'enliven' | 'begin' | 'end';

/** When a tick has begun, ms of `sharedNow`. */
export interface HostNote {
  readonly tick: number;
  readonly begun: number;
}

export type LineKind = 'good' | 'slow' | 'stalled';

export interface ClientPlan {
  readonly line: LineKind;
  /** Decodes and checks everything. */
  readonly verify: boolean;
  /** The best tier it asks for. */
  readonly best: TierName;
  /** Moves, plants and cuts. */
  readonly active: boolean;
  /** ms after the start. */
  readonly joinsAfter: number;
}

export const ATTACKS = [
  'flood',
  'huge',
  'nested',
  'malformed',
  'slow-handshake',
  'storm',
  'replay',
  'forge',
] as const;

export type Attack = (typeof ATTACKS)[number];

/** A client process's one argument. */
export interface CrowdPlan {
  /** http://host:port */
  readonly url: string;
  readonly room: string;
  readonly seed: number;
  readonly clients: readonly ClientPlan[];
  /** Part of all plantings and cuts of the active that is done by these. */
  readonly handsShare: number;
  readonly attacks: readonly Attack[];
}

export type CrowdQuestion =
  | { readonly what: 'joined' }
  | { readonly what: 'attack' }
  | { readonly what: 'begin' }
  | {
      readonly what: 'end';
      /** When ticks have begun; empty: nobody knows. */
      readonly begun: ReadonlyMap<number, number>;
    };

/** What those on lines of one kind have seen while it was measured. */
export interface LineFigures {
  latencies: Float64Array;
  /** Bytes per second of each. */
  rates: Float64Array;
  frames: number;
  outOfStep: number;
  /** Frames that were decoded, every block of them fitting its check. */
  compared: number;
  neverCaughtUp: number;
  /** Connections that broke. */
  lost: number;
  /** Connections that the server, or the line, has ended or refused, by `SocketEnd`. */
  readonly ends: Record<string, number>;
  readonly tiers: Record<string, number>;
}

export interface CrowdFigures {
  readonly lines: Partial<Record<LineKind, LineFigures>>;
  /** By reason, to clients. */
  readonly refusals: Record<string, number>;
  /** By reason, to attackers. */
  readonly refusedAttacks: Record<string, number>;
  /** What attackers have tried, and connections of theirs that the server closed. */
  readonly attacks: Record<string, { tries: number; closed: number }>;
  /** Cores. */
  readonly cpu: number;
  /** ms that a timer was late. */
  readonly loopDelayP99: number;
}
