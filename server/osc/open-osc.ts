/** Opens OSC output, input, both or neither, as configured. */
import type { Hooks } from '../extensions/hooks.ts';
import type { Log } from '../platform/log.ts';
import { OscInput, type OscInputOptions } from './osc-input.ts';
import { OscOutput } from './osc-output.ts';
import { type Datagrams, type Endpoint, openListener, openSender } from './udp.ts';

export interface OscOptions extends Omit<OscInputOptions, 'onRefused'> {
  readonly out: Endpoint | undefined;
  readonly in: Endpoint | undefined;
  readonly hooks: Hooks;
  readonly log: Log;
}

/** The open OSC sockets. */
export interface Osc {
  /** The UDP port of the input, if any. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** Opens the sockets and starts forwarding events. @throws HookError no-address, port-taken */
export async function openOsc(options: OscOptions): Promise<Osc> {
  const { clock, log, hooks } = options;
  const sender = options.out && (await openSender(options.out, log));
  const out = sender && new OscOutput((bytes) => sender.send(bytes), clock);
  let listener: Datagrams | undefined;
  if (options.in) {
    const input = new OscInput({
      ...options,
      onRefused: (room, what, reason) => out?.refused(room, what, reason),
    });
    const receive = (bytes: Uint8Array, from: string): void => void input.receive(bytes, from);
    try {
      listener = await openListener(options.in, receive, log);
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
