/** OSC as the host has set it: out, in, both, or neither. */

import type { Limits } from '../../net/limits.ts';
import type { Lobby } from '../../net/lobby.ts';
import type { Refusals } from '../../net/refusals.ts';
import type { Log } from '../../operations/log.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Hooks } from '../hooks.ts';
import { OscIn, type OscInOptions } from './in.ts';
import { OscOut } from './out.ts';
import { type Datagrams, type Endpoint, openListener, openSender } from './udp.ts';

export interface OscOptions {
  readonly out: Endpoint | undefined;
  readonly in: Endpoint | undefined;
  /** Addresses that may send. */
  readonly allowed: readonly string[] | undefined;
  readonly hooks: Hooks;
  readonly lobbies: ReadonlyMap<string, Lobby>;
  readonly pause: OscInOptions['pause'];
  readonly limits: Limits;
  readonly refusals: Refusals;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Osc {
  /** Where it listens, if it does. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** @throws HookError no-address, port-taken */
export async function openOsc(options: OscOptions): Promise<Osc> {
  const { clock, log, hooks } = options;
  const sender = options.out && (await openSender(options.out, log));
  const out = sender && new OscOut({ send: (bytes) => sender.send(bytes), clock });
  let listener: Datagrams | undefined;
  if (options.in) {
    const osc = new OscIn({
      ...options,
      onRefused: (room, what, reason) => out?.refused(room, what, reason),
    });
    const hear = (bytes: Uint8Array, from: string): void => void osc.receive(bytes, from);
    try {
      listener = await openListener(options.in, hear, log);
    } catch (error) {
      await sender?.close();
      throw error;
    }
  }
  if (out) hooks.add(out);
  return {
    port: listener?.port,
    close: async () => {
      await listener?.close();
      await sender?.close();
    },
  };
}
