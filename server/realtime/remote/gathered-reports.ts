/**
 * What pages say many times a second and of which only the latest counts: where they point, and which
 * frames they have drawn. The room's owner is told of all of them together.
 */

import { DEFAULTS } from '../../../shared/defaults.ts';
import type { Command } from '../../../shared/protocol/commands.ts';
import { packPointer } from '../../../shared/protocol/pointers.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ToRoom } from './messages.ts';

const { cursorInterval } = DEFAULTS.net;

export class GatheredReports {
  private readonly drawn = new Map<number, { tick: number; frames: number }>();
  private readonly cursors = new Map<number, Command<'cursor'>>();
  private cursorsSentAt = Number.NEGATIVE_INFINITY;
  private cancelCursors: (() => void) | undefined;

  /** @param send called when clients have moved their cursors */
  constructor(
    private readonly clock: Clock,
    private readonly send: (item: ToRoom) => void,
  ) {}

  /** A client has drawn the frame of a tick. */
  draw(connection: number, tick: number): void {
    const frames = (this.drawn.get(connection)?.frames ?? 0) + 1;
    this.drawn.set(connection, { tick, frames });
  }

  /** Sends where a client points: at once, or soon after the last time. */
  moveCursor(connection: number, cursor: Command<'cursor'>): void {
    this.cursors.set(connection, cursor);
    const left = this.cursorsSentAt + cursorInterval - this.clock.now();
    // Those that come in the same turn go with the first.
    this.cancelCursors ??= this.clock.after(Math.max(0, left), () => this.sendCursors());
  }

  /** Takes what clients have drawn since the last call. */
  takeDrawn(): ToRoom[] {
    if (this.drawn.size === 0) return [];
    const clients = [...this.drawn].map(([connection, { tick, frames }]) => {
      return [connection, tick, frames] as [number, number, number];
    });
    this.drawn.clear();
    return [{ what: 'drawn', clients }];
  }

  /** Nobody shall hear any more what a client has said so far. */
  forget(connection: number): void {
    this.drawn.delete(connection);
    this.cursors.delete(connection);
  }

  /** The same of all clients. */
  clear(): void {
    this.drawn.clear();
    this.cursors.clear();
    this.cancelCursors?.();
    this.cancelCursors = undefined;
  }

  private sendCursors(): void {
    this.cancelCursors = undefined;
    if (this.cursors.size === 0) return;
    this.cursorsSentAt = this.clock.now();
    const cursors = [...this.cursors].map(([id, cursor]) => packPointer({ ...cursor, id }));
    this.cursors.clear();
    this.send({ what: 'cursors', cursors });
  }
}
