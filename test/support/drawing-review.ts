/** The drawings of a room that takes no step by itself. */

import { DrawingReview, type SentDrawing } from '../../server/realtime/drawings/drawing-review.ts';
import type { KeepItem, Moderation } from '../../server/realtime/policy/moderation.ts';
import { RoomPolicy } from '../../server/realtime/policy/room-policy.ts';
import type { RoomClient, RoomHooks } from '../../server/realtime/sessions/room-client.ts';
import type { RoomContext } from '../../server/realtime/sessions/room-context.ts';
import { ROOM_DEFAULTS, type RoomSettings } from '../../shared/host/room-settings.ts';
import { Refusal } from '../../shared/protocol/reasons.ts';
import { FakeClock } from './fake-clock.ts';

const ANNA = { id: 1, name: 'Anna', hue: 0 };

/** @param stored what was stored before, by id; the review changes it */
export function openReview(
  drawings: RoomSettings['drawings'] = 'ask',
  draw: RoomHooks['draw'] = () => undefined,
  stored = new Map<number, Moderation['drawings'][number]>(),
) {
  /** Seeds given, as participant and request. */
  const given: string[] = [];
  /** Whether each was given as an approved one. */
  const approved: boolean[] = [];
  /** Set: another server owns the room. */
  const lease = { isLost: false };
  const keep = (async (_, id, item) => {
    if (lease.isLost) throw new Refusal('elsewhere');
    if (item) stored.set(id, item as Moderation['drawings'][number]);
    else stored.delete(id);
  }) as KeepItem;
  const told: unknown[] = [];
  const members = new Map<number, RoomClient>();
  const policy = new RoomPolicy({ ...ROOM_DEFAULTS, drawings } as never);
  const clock = new FakeClock();
  const seeds: object[] = [];
  /** Set: the room takes no commands. */
  const refusal: { reason?: 'too-fast' } = {};
  /** Participants from 100 on share an address. */
  const visits = { sourceOf: (id: number) => (id >= 100 ? 100 : undefined) };
  const review = new DrawingReview({
    room: {
      enqueue: (request: number, hold: { by: { id: number }; approved?: true }) => {
        if (refusal.reason) throw new Refusal(refusal.reason);
        given.push(`${hold.by.id} ${request}`);
        approved.push(hold.approved === true);
      },
      seedsOf: () => seeds,
      participantsWithState: [1, 2],
    },
    seats: { memberOf: (id: number) => members.get(id) },
    hooks: () => ({ draw }) as unknown as RoomHooks,
    ...{ policy, clock, visits, keep, date: () => 1e12 + clock.now() },
    kept: { mutes: [], drawings: [...stored.values()], reports: [] },
  } as unknown as RoomContext);
  const set = (mode: RoomSettings['drawings']) => {
    policy.settings = { ...policy.settings, drawings: mode };
    review.settingsChanged();
  };
  const come = (id: number): RoomClient => {
    const client = { send: (_: string, message: object) => told.push({ to: id, ...message }) };
    members.set(id, client as unknown as RoomClient);
    return client as unknown as RoomClient;
  };
  /** Sends a drawing that differs from others by its request. */
  const send = (id: number, request: number, more: Partial<SentDrawing> = {}) => {
    const pixels = Uint8Array.of(request & 0xff, request >> 8);
    const client = members.get(id) ?? come(id);
    const latent = Float32Array.of(1);
    return review.submit({ by: { ...ANNA, id }, client, request, pixels, latent, ...more });
  };
  /** Ends a tick, in which the room has answered what it was asked before. */
  const tick = (now = 0) => {
    for (const one of given) {
      const [by, id] = one.split(' ').map(Number);
      review.answered({ by, id, what: 'hold', energy: 0 });
    }
    review.endTick(now, []);
  };
  return {
    ...{ review, given, approved, told, clock, members, seeds, refusal, set, come, send, tick },
    ...{ stored, lease, mute: () => policy.muted.add(1) },
  };
}
