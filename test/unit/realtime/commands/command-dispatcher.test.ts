import { CommandDispatcher } from '../../../../server/realtime/commands/command-dispatcher.ts';
import { RoomPolicy } from '../../../../server/realtime/policy/room-policy.ts';
import type { RoomClient, RoomHooks } from '../../../../server/realtime/sessions/room-client.ts';
import type { RoomContext } from '../../../../server/realtime/sessions/room-context.ts';
import type { RoomCommand } from '../../../../server/world/commands.ts';
import { ROOM_DEFAULTS } from '../../../../shared/host/room-settings.ts';
import { Refusal } from '../../../../shared/protocol/reasons.ts';
import { HOUSE } from '../../../../shared/vocabulary.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const ANNA = { id: 1, name: 'Anna', hue: 0 };
const PRIOR = { from: 'prior' } as const;
const PLANT: RoomCommand = { what: 'plant', by: ANNA, x: 1, y: 1, seed: PRIOR };
const SETTINGS = { ...ROOM_DEFAULTS, cooldown: 5, maxRadius: 3 };

function open(command: RoomHooks['command'] = () => undefined) {
  const enqueued: RoomCommand[] = [];
  const sent: unknown[] = [];
  const send = (event: string, message: object) => sent.push({ event, ...message });
  const client = { send } as unknown as RoomClient;
  const policy = new RoomPolicy(SETTINGS as never);
  let active = 0;
  const drawings = { requirePlantable: () => {} };
  const context = {
    room: {
      enqueue: (_: number, one: RoomCommand) => void enqueued.push(one),
      energyOf: () => 7,
      doneBefore: () => undefined,
      viewOf: (id: number) => (id === 9 ? undefined : { planter: { id } }),
    },
    policy,
    clock: new FakeClock(),
    hooks: () => ({ command, active: () => active++ }) as unknown as RoomHooks,
    seats: { memberOf: (id: number) => (id === ANNA.id ? client : undefined), newNumber: () => 42 },
  } as unknown as RoomContext;
  const dispatcher = new CommandDispatcher(context, drawings);
  return { dispatcher, policy, client, enqueued, sent, activity: () => active };
}

const settled = () => new Promise(setImmediate);

test('a rejection by a hook comes with its reason and starts no cooldown', async () => {
  let approval = Promise.reject(new Refusal('not-here'));
  const { dispatcher, client, enqueued, sent } = open(() => approval);
  dispatcher.dispatch(client, 1, PLANT);
  await settled();
  expect(sent).toEqual([{ event: 'rejected', id: 1, reason: 'not-here', energy: 7 }]);
  expect(enqueued).toEqual([]);
  approval = Promise.resolve() as Promise<never>;
  dispatcher.dispatch(client, 2, PLANT);
  await settled();
  expect(enqueued).toEqual([PLANT]);
  expect(() => dispatcher.dispatch(client, 3, PLANT)).toThrow(new Refusal('cooling-down'));
});

test('what an actor still waits for is refused when the room stops', async () => {
  const { dispatcher } = open();
  const gardener = dispatcher.createSystemActor('Gardener', false);
  const { hostActor } = dispatcher;
  const clear = { what: 'clear', area: { x: 0, y: 0, width: 1, height: 1 } } as const;
  const answered = hostActor.act(clear);
  dispatcher.answer({ by: HOUSE.id, id: 1, what: 'clear', energy: 0 });
  const waiting = [gardener.act(clear), hostActor.act(clear)];
  dispatcher.refuseWaiting('elsewhere');
  for (const one of waiting) await expect(one).rejects.toThrow(new Refusal('elsewhere'));
  expect(await answered).toMatchObject({ id: 1 });
});

test('a command that arrives again before its answer, even amid an approval, is done once', async () => {
  let approve = (): void => {};
  const { dispatcher, policy, client, enqueued, sent } = open(
    () => new Promise<void>((resolve) => (approve = resolve)),
  );
  dispatcher.dispatch(client, 1, PLANT, 77);
  dispatcher.dispatch(client, 1, PLANT, 77);
  approve();
  await settled();
  dispatcher.dispatch(client, 1, PLANT, 77);
  expect(enqueued).toEqual([PLANT]);
  const answer = { by: ANNA.id, id: 1, session: 77, what: 'plant', energy: 7 } as const;
  dispatcher.answer({ ...answer, refused: { reason: 'occupied', detail: '' } });
  // What was refused is tried again, and a refusal by a rule leaves nothing behind.
  policy.settings = { ...policy.settings, paused: true };
  expect(() => dispatcher.dispatch(client, 1, PLANT, 77)).toThrow(new Refusal('paused'));
  policy.settings = { ...policy.settings, paused: false };
  dispatcher.dispatch(client, 1, PLANT, 77);
  approve();
  await settled();
  expect(enqueued).toEqual([PLANT, PLANT]);
  expect(sent).toMatchObject([{ event: 'rejected', id: 1, reason: 'occupied' }]);
});

test('slow requests answer a Refusal to the client, and pass on other errors', async () => {
  const { dispatcher, client, sent } = open();
  await dispatcher.runAsync(client, 4, () => Promise.reject(new Refusal('room-busy')));
  expect(sent).toEqual([{ event: 'rejected', id: 4, reason: 'room-busy' }]);
  const failure = dispatcher.runAsync(client, 5, () => Promise.reject(new Error('broken')));
  await expect(failure).rejects.toThrow('broken');
});

test('the host acts even while the room is paused; system actors do not', async () => {
  const { dispatcher, policy, enqueued } = open();
  policy.settings = { ...policy.settings, paused: true };
  const actor = dispatcher.createSystemActor('osc', true);
  await expect(actor.act({ what: 'plant' } as never)).rejects.toThrow(new Refusal('paused'));
  void dispatcher.hostActor.act({ what: 'plant' } as never);
  expect(enqueued).toMatchObject([{ by: { id: HOUSE.id } }]);
});

test('DEP-10: what departs can be kept while the room is paused, but not by the muted or in a farewell', () => {
  const { dispatcher, policy, client, enqueued } = open();
  const renew: RoomCommand = { what: 'renew', by: ANNA, organism: 3 };
  policy.settings = { ...policy.settings, paused: true };
  expect(() => dispatcher.dispatch(client, 1, PLANT)).toThrow(new Refusal('paused'));
  dispatcher.dispatch(client, 2, renew);
  expect(enqueued).toEqual([renew]);
  policy.isFarewell = true;
  expect(() => dispatcher.dispatch(client, 3, renew)).toThrow(new Refusal('paused'));
  policy.muted.add(ANNA.id);
  expect(() => dispatcher.dispatch(client, 4, renew)).toThrow(new Refusal('muted'));
});

test.each([
  ['keepsakes', 'tokens', { from: 'token', token: 'abc' }, 'no-tokens'],
  ['own latents', 'latents', { from: 'latent', latent: [1] }, 'no-latents'],
] as const)(
  '%s are refused by name while they are off, but not to extensions',
  (_, key, seed, reason) => {
    const { dispatcher, policy, client, enqueued } = open();
    const plant = { ...PLANT, seed } as unknown as RoomCommand;
    policy.settings = { ...policy.settings, cooldown: 0 };
    dispatcher.dispatch(client, 1, plant);
    policy.settings = { ...policy.settings, [key]: false };
    expect(() => dispatcher.dispatch(client, 2, plant)).toThrow(new Refusal(reason));
    expect(() => dispatcher.requireSeed(seed as never, ANNA.id)).toThrow(new Refusal(reason));
    dispatcher.dispatch(client, 3, PLANT);
    void dispatcher.createSystemActor('lights', false).act(plant);
    expect(enqueued).toMatchObject([plant, PLANT, { seed }]);
  },
);

test('TRF-2: one’s own organisms can be turned, others’ only where the host allows it; by programs too', async () => {
  const { dispatcher, policy, client, enqueued } = open();
  const transform = (organism: number, by = ANNA): RoomCommand => {
    return { what: 'transform', by, organism, seed: PRIOR };
  };
  policy.settings = { ...policy.settings, cooldown: 0 };
  const others = transform(2);
  dispatcher.dispatch(client, 1, transform(ANNA.id));
  expect(() => dispatcher.dispatch(client, 2, others)).toThrow(new Refusal('not-yours'));
  const actor = dispatcher.createSystemActor('lights', false);
  const act = () => actor.act({ what: 'transform', organism: 2, seed: PRIOR });
  await expect(act()).rejects.toThrow(new Refusal('not-yours'));
  policy.settings = { ...policy.settings, transformOthers: true };
  dispatcher.dispatch(client, 3, others);
  void act();
  // The room itself refuses what does not live.
  dispatcher.dispatch(client, 4, transform(9));
  expect(enqueued).toMatchObject([1, 2, 2, 9].map((organism) => ({ organism })));
});

test('TRF-2: the wait between seeds counts for planting and turning alike, and so do the host’s rules for seeds', () => {
  const { dispatcher, policy, client } = open();
  const transform: RoomCommand = { what: 'transform', by: ANNA, organism: ANNA.id, seed: PRIOR };
  dispatcher.dispatch(client, 1, PLANT);
  expect(() => dispatcher.dispatch(client, 2, transform)).toThrow(new Refusal('cooling-down'));
  dispatcher.answer({
    ...{ by: ANNA.id, id: 1, what: 'transform', energy: 7 },
    refused: { reason: 'not-grown', detail: '' },
  });
  policy.settings = { ...policy.settings, tokens: false };
  const keepsake = { ...transform, seed: { from: 'token', token: 'abc' } } as RoomCommand;
  expect(() => dispatcher.dispatch(client, 3, keepsake)).toThrow(new Refusal('no-tokens'));
  dispatcher.dispatch(client, 4, transform);
});

test('GRA-1, GRA-4: grafts follow the host’s rules for strokes and seeds, without a wait; programs too', async () => {
  const { dispatcher, policy, client, enqueued } = open();
  const graft = { what: 'graft', by: ANNA, radius: 9, points: [1, 1], seed: PRIOR } as RoomCommand;
  dispatcher.dispatch(client, 1, PLANT);
  dispatcher.dispatch(client, 2, graft);
  dispatcher.dispatch(client, 3, graft);
  policy.settings = { ...policy.settings, graftOthers: true, tokens: false };
  dispatcher.dispatch(client, 4, graft);
  const { by: _, ...act } = graft;
  void dispatcher.createSystemActor('lights', false).act(act);
  expect(enqueued.slice(1)).toMatchObject([
    { radius: 3, others: false },
    { radius: 3, others: false },
    { radius: 3, others: true },
    { radius: 9, others: true },
  ]);
  const keepsake = { ...graft, seed: { from: 'token', token: 'abc' } } as RoomCommand;
  expect(() => dispatcher.dispatch(client, 5, keepsake)).toThrow(new Refusal('no-tokens'));
  const ungraft: RoomCommand = { what: 'ungraft', by: ANNA, organism: 1 };
  policy.settings = { ...policy.settings, paused: true };
  for (const one of [graft, ungraft]) {
    expect(() => dispatcher.dispatch(client, 6, one)).toThrow(new Refusal('paused'));
  }
  policy.settings = { ...policy.settings, paused: false };
  policy.muted.add(ANNA.id);
  for (const one of [graft, ungraft]) {
    expect(() => dispatcher.dispatch(client, 7, one)).toThrow(new Refusal('muted'));
  }
  expect(enqueued).toHaveLength(5);
});

test('a mute, a pause and narrower strokes hold for what waits for an extension’s approval', async () => {
  let approve = (): void => {};
  const { dispatcher, policy, client, enqueued, sent } = open(
    () => new Promise((resolve) => (approve = resolve)),
  );
  const change = async (id: number, command: RoomCommand, change: () => void): Promise<void> => {
    dispatcher.dispatch(client, id, command, 7);
    change();
    approve();
    await settled();
  };
  const pause = (paused: boolean) => () => {
    policy.settings = { ...policy.settings, paused };
  };
  await change(1, PLANT, () => policy.muted.add(ANNA.id));
  policy.muted.clear();
  await change(2, PLANT, pause(true));
  pause(false)();
  await change(3, { ...PLANT, seed: { from: 'token', token: 'abc' } }, () => {
    policy.settings = { ...policy.settings, tokens: false };
  });
  expect(sent).toMatchObject(
    ['muted', 'paused', 'no-tokens'].map((reason, i) => ({ event: 'rejected', id: 1 + i, reason })),
  );
  const actor = dispatcher.createSystemActor('lights', false);
  const { what, x, y, seed } = PLANT as Extract<RoomCommand, { what: 'plant' }>;
  const act = actor.act({ what, x, y, seed });
  pause(true)();
  approve();
  await expect(act).rejects.toThrow(new Refusal('paused'));
  pause(false)();
  expect(enqueued).toEqual([]);
  // A refused seed starts no cooldown.
  await change(4, PLANT, () => {});
  await change(5, { what: 'damage', by: ANNA, radius: 9, points: [] }, () => {
    policy.settings = { ...policy.settings, maxRadius: 2 };
  });
  expect(enqueued).toMatchObject([{ what: 'plant' }, { what: 'damage', radius: 2 }]);
});
