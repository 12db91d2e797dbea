/** The server's side of a page's connection, for tests of the client. */
import type { Reason } from '../../shared/protocol/reasons.ts';
import type { OrganismView } from '../../shared/vocabulary.ts';

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

/** A grown organism as pages see it. */
export function organismView(id: number, changes: Partial<OrganismView> = {}): OrganismView {
  return {
    ...{ id, x: 0, y: 0, side: 32, stage: 32, phase: 'awake', origin: 'gallery', kind: '' },
    ...{ parents: [], planter: { id: 1, name: 'Ada', hue: 150 }, born: 0 },
    ...{ wounds: 0, healed: 0, hurt: false },
    ...changes,
  };
}

/** The answer to a join, of an empty room. */
export const WELCOME = {
  ...{ protocol: 1, you: { id: 2, name: 'Mio', hue: 20 }, resume: 'a token' },
  ...{ organisms: [] as OrganismView[], participants: [{ id: 1, name: 'Ada', hue: 150 }] },
  room: { name: 'main', width: 64, height: 64, tickRate: 15, tick: 3, maxOrganisms: 8 },
  checkpoint: {
    ...{ name: 'c', title: 'C', side: 32, latentSize: 4, growthTicks: 40 },
    ...{ gallery: [{ name: 'fox', kind: 'animal' }], sheet: { url: '/sheet.png', columns: 1 } },
  },
  engine: { name: 'e', device: 'd' },
  energy: { level: 40, capacity: 100, refillPerSecond: 8, plant: 8, damagePerCell: 0.005 },
};
