/** A visitor's page without rendering, whose connection returns at once when it breaks. */
import { io } from 'socket.io-client';
import { BROWSER, Connection } from '../../client/room/connection.ts';
import { shortMemory } from '../../client/room/join.ts';
import type { CommandName } from '../../shared/protocol/commands.ts';

/** ms until a broken connection is dialled again: a page waits longer, but no test needs to. */
const REDIAL = 5;

export class Peer extends Connection {
  private nextId = 1;

  /** @param port where the room's server listens, or a bad network before it */
  constructor(port: number, room: string) {
    const quick = { forceNew: true, reconnectionDelay: REDIAL, reconnectionDelayMax: 4 * REDIAL };
    super(
      room,
      { name: null, watches: false },
      { seat: shortMemory(), mark: shortMemory() },
      { ...BROWSER, dial: (how) => io(`http://127.0.0.1:${port}`, { ...how, ...quick }) },
    );
    this.open();
  }

  protected override get retryDelay(): number {
    return REDIAL;
  }

  /** Sends a command; nobody waits for the answer. */
  wish(name: 'plant' | 'damage' | 'cross', message: Record<string, unknown>): void {
    this.say(name, { id: this.nextId++, ...message });
  }

  say(name: CommandName, message: unknown): void {
    this.send(name, message as never);
  }

  /** Goes away, as a page that is closed. */
  leave(): void {
    this.socket.disconnect();
  }

  /** Comes back; nothing happens when it has not gone. */
  comeBack(): void {
    this.socket.connect();
  }
}
