/**
 * A wall's connection. It reconnects forever and silently, and reloads when the server has a newer
 * page.
 */
import type { LanguageCode } from '../../shared/languages.ts';
import { PAGE_DEFAULTS } from '../../shared/page-defaults.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { Reason } from '../../shared/protocol/reasons.ts';
import { type Means, RoomConnection } from './room-connection.ts';

/** Delay before a refused wall asks again, ms. */
const REFUSED = 3_000;

export interface WallConnectionOptions {
  readonly room: string;
  /** A `view` is the picture on the host's page. */
  readonly as: 'wall' | 'view';
  /** From the wall's address, if it has a place of its own; else ''. */
  readonly pass: string;
  /** Languages that this screen has no letters for. */
  readonly unwritable?: readonly LanguageCode[];
  /** The build of this page, see `buildOf`. */
  readonly build: string;
  /** Called when the server has another build of the page. */
  readonly renew: () => void;
}

/** A wall's connection to a room; it always reconnects and sends no commands. */
export class WallConnection extends RoomConnection {
  /** Why the last join was refused; undefined: it was not. */
  refusal: Reason | undefined;

  constructor(
    private readonly options: WallConnectionOptions,
    means?: Means,
  ) {
    super(options.room, means);
    const { build: ownBuild, renew } = options;
    this.model.on('wall', ({ build }) => {
      this.refusal = undefined;
      if (build !== '' && build !== ownBuild) renew();
    });
    this.model.on('rejected', ({ reason }) => {
      if (reason === 'protocol-version') renew();
      // Ask again: the room may open, or another wall may leave.
      if (this.model.connection === 'live') return;
      // The server hangs up on a wall that it has refused for long: that says nothing new.
      if (reason !== 'join-timeout' || !this.refusal) this.refusal = reason;
      this.joinLater();
    });
  }

  protected override wish(): Command<'join'> {
    const { as, pass, unwritable = [] } = this.options;
    return { ...super.wish(), as, ...(pass !== '' && { pass }), unwritable: [...unwritable] };
  }

  protected get retryDelay(): number {
    return this.refusal ? REFUSED : PAGE_DEFAULTS.net.redial.first;
  }
}
