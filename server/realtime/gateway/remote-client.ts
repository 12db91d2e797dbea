/** A connection to another server, as the server of its room knows it. */
import type { Event, EventName } from '../../../shared/protocol/events.ts';
import type { Reason, Refusal } from '../../../shared/protocol/reasons.ts';
import type { SessionClient } from '../sessions/local-session.ts';
import type { Opening, Own } from '../sessions/room-client.ts';
import type { AddOptions } from '../streaming/room-broadcaster.ts';
import type { Viewport } from '../streaming/viewer-stream.ts';
import type { FromRoom } from './messages.ts';

/** What a remote client needs of its link. */
export interface ClientLink {
  event(connection: number, name: EventName, message: unknown): void;
  welcome(connection: number, name: 'welcome' | 'wall', opening: Opening, own: object): void;
  add(item: Exclude<FromRoom, { what: 'event' }>): void;
  /** The room has taken the client in, perhaps to its queue. */
  entered(connection: number): void;
  /** The room has removed the client. */
  removed(connection: number): void;
}

export class RemoteClient implements SessionClient {
  /** Its frames are sent from there. */
  readonly writable = true;
  /** What it looks at, as far as is known here; undefined while its page is hidden. */
  viewport: Viewport | undefined;
  /** See `RoomClient`; until its join is decided. */
  before: RemoteClient | undefined;

  /** @param address see `RoomClient` */
  constructor(
    readonly connection: number,
    readonly address: string,
    private readonly link: ClientLink,
  ) {}

  send<N extends EventName>(event: N, message: Event<N>): void {
    this.link.event(this.connection, event, message);
  }

  sendWelcome<N extends 'welcome' | 'wall'>(event: N, opening: Opening, own: Own<N>): void {
    this.link.welcome(this.connection, event, opening, own);
  }

  /** Frames of remote clients are made where they are connected. */
  sendFrame(): void {}

  disconnect(reason: Reason): void {
    const { link, connection } = this;
    // Where the room has gone, its connections follow by themselves.
    if (reason !== 'elsewhere') link.add({ what: 'end', connection, reason });
    link.removed(connection);
  }

  entered(): void {
    this.link.entered(this.connection);
  }

  /** Refuses its join: the room does not know it any more. */
  refuse({ reason, detail }: Refusal): void {
    const { link, connection } = this;
    link.add({ what: 'refused', connection, reason, detail });
    link.removed(connection);
  }

  /** @param id undefined: the command has none, and nobody waits for its answer */
  refuseCommand({ reason, detail }: Refusal, id: number | undefined): void {
    const { connection } = this;
    if (id !== undefined) this.link.add({ what: 'refused', connection, reason, detail, id });
    else this.send('rejected', { reason, ...(detail && { detail }) });
  }

  /** Has its server begin to send it frames. */
  startStream(viewport: Viewport, { tier }: AddOptions): void {
    this.viewport = viewport;
    this.link.add({ what: 'stream', connection: this.connection, tier });
  }

  /** Has its server end its frames. */
  stopStream(): void {
    this.viewport = undefined;
    this.link.add({ what: 'stop', connection: this.connection });
  }
}
