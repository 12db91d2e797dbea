/**
 * A wall's connection. It reconnects forever and silently, and reloads when the server has a newer
 * page.
 */
import { DEFAULTS } from '../../shared/defaults.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import { RoomConnection } from './room-connection.ts';

/** Delay before a refused wall asks again, ms. */
const REFUSED = 3_000;

export interface WallConnectionOptions {
  readonly room: string;
  /** A `view` is the picture on the host's page. */
  readonly as: 'wall' | 'view';
  /** From the wall's address, if it has a place of its own; else ''. */
  readonly pass: string;
  /** The build of this page, see `buildOf`. */
  readonly build: string;
  /** Called when the server has another build of the page. */
  readonly renew: () => void;
}

/** A wall's connection to a room; it always reconnects and sends no commands. */
export class WallConnection extends RoomConnection {
  /** Whether the last join was refused. */
  private refused = false;

  constructor(private readonly options: WallConnectionOptions) {
    super(options.room);
    const { build: ownBuild, renew } = options;
    this.model.on('wall', ({ build }) => {
      this.refused = false;
      if (build !== '' && build !== ownBuild) renew();
    });
    this.model.on('rejected', ({ reason }) => {
      if (reason === 'protocol-version') renew();
      // Ask again: the room may open, or another wall may leave.
      if (this.model.connection === 'live') return;
      this.refused = true;
      this.joinLater();
    });
  }

  protected override wish(): Command<'join'> {
    const { as, pass } = this.options;
    return { ...super.wish(), as, ...(pass !== '' && { pass }) };
  }

  protected get retryDelay(): number {
    return this.refused ? REFUSED : DEFAULTS.net.redial.first;
  }
}
