/** A Socket.IO socket for tests of the pages' connections. */
import type { Reason } from '../../shared/protocol/reasons.ts';

/** A socket whose other end is this test. */
export class FakeSocket {
  connected = false;
  /** How often it was connected again. */
  dialled = 0;
  joins = 0;
  /** Sends the handshake. */
  auth: unknown;
  private listeners = new Map<string, (message: unknown) => void>();
  private hear: (name: string, message: unknown) => void = () => {};

  on(name: string, listener: (message: unknown) => void): void {
    this.listeners.set(name, listener);
  }

  onAny(listener: (name: string, message: unknown) => void): void {
    this.hear = listener;
  }

  emit(name: string): void {
    if (name === 'join') this.joins++;
  }

  greeting(): Record<string, unknown> {
    let said: { join: Record<string, unknown> } | undefined;
    (this.auth as (greet: (greeting: typeof said) => void) => void)((greeting) => {
      said = greeting;
    });
    return said!.join;
  }

  connect(): void {
    this.dialled++;
    this.connected = true;
  }

  disconnect(): void {
    this.drop('io client disconnect');
  }

  drop(reason: string): void {
    if (!this.connected) return;
    this.connected = false;
    this.listeners.get('disconnect')?.(reason);
  }

  /** A connection is not let in, or nobody answers. */
  fail(): void {
    this.listeners.get('connect_error')?.(undefined);
  }

  say(name: string, message: unknown): void {
    this.hear(name, message);
  }

  /** The server refuses, and may close the connection. */
  refuse(reason: Reason, hangsUp = false): void {
    this.say('rejected', { reason });
    if (hangsUp) this.drop('io server disconnect');
  }
}
