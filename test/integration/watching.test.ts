/** Watching together: the host shows a place, visitors follow a view, and view-only links. */
import type { Command } from '../../shared/protocol/commands.ts';
import { afterTest } from '../support/closing.ts';
import { HeldClock } from '../support/fake-clock.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const { server, room, join, connect } = await suiteServer({
  ...{ ...SMALL, size: '160x96', 'tick-rate': 30, energy: 'off' },
});
const host = await hostOf(server);
const roomServer = () => server.rooms.findServer('garden');

const watch = () => join(undefined, { as: 'spectator' });
const hang = () => join(undefined, { as: 'wall' });

/** Asks to watch, and is refused. @returns the reason */
function refusal(wishes: Partial<Command<'join'>> = {}): Promise<string> {
  const spectator = connect();
  spectator.requestJoin({ as: 'spectator', ...wishes });
  return spectator.refusal();
}

const lookAt = (visitor: Visitor, x: number, width: number): void =>
  visitor.send('look', {
    ...{ hidden: false, x, y: 10, width, height: 20 },
    ...{ pixels: 4, best: 'full' },
  });

describe('a place that the host shows', () => {
  test('is told to visitors, spectators and walls; one outside the room is refused', async () => {
    const [ada, spectator, wall] = [await join('Ada'), await watch(), await hang()];
    await host.call('spotlight', { x: 120, y: 40 });
    for (const one of [ada, spectator, wall]) {
      await one.until(() => one.all('spotlight').length > 0);
      expect(one.all('spotlight')).toEqual([{ x: 120, y: 40 }]);
    }
    expect(await host.refusal('spotlight', { x: 160, y: 40 })).toBe('off-grid');
    expect(await host.refusal('spotlight', { x: -1, y: 40 })).toBe('bad-call');
  });

  test('is where walls stay, also those that come later, until the host ends that', async () => {
    const [ada, wall] = [await join('Ada'), await hang()];
    const at = { x: 100, y: 30 };
    const places = (one: Visitor) => one.all('closeUp').map((event) => event.at);
    await host.call('spotlight', at);
    await wall.until(() => places(wall).at(-1) !== undefined);
    expect(places(wall).at(-1)).toEqual(at);
    const late = await hang();
    await late.until(() => places(late).length > 0);
    expect(places(late)).toEqual([at]);
    const { showing } = (await host.call('room')).walls;
    expect(showing).toMatchObject({ what: 'closeUp' });
    expect(showing!.left).toBeGreaterThan(0);
    await host.call('showRoom');
    await wall.until(() => places(wall).at(-1) === undefined);
    expect((await host.call('room')).walls.showing).toBeNull();
    expect(places(ada)).toEqual([]);
  });

  test('is left by walls after a while, if the host does not ask again', async () => {
    const clock = new HeldClock(180_000);
    const held = await startServer({ ...SMALL, size: '64x64' }, { clock });
    afterTest(() => held.close());
    const api = await hostOf(held);
    const wall = await Visitor.join(held.port, 'garden', undefined, { as: 'wall' });
    afterTest(() => wall.leave());
    await api.call('spotlight', { x: 40, y: 30 });
    await wall.until(() => wall.all('closeUp').some(({ at }) => at !== undefined));
    clock.pass();
    await wall.until(() => wall.all('closeUp').at(-1)!.at === undefined);
    expect((await api.call('room')).walls.showing).toBeNull();
  });
});

describe('following', () => {
  const idOf = (visitor: Visitor): number => visitor.welcome!.you.id;
  const areas = (visitor: Visitor) => visitor.all('view').map(({ area }) => area);
  const follow = (visitor: Visitor, whom?: Visitor) =>
    visitor.ask('follow', { ...(whom && { participant: idOf(whom) }) });

  test('tells what the other sees, now and after each move, and tells them that they are followed', async () => {
    const [ada, bo] = [await join('Ada'), await join('Bo')];
    lookAt(bo, 30, 40);
    expect(await follow(ada, bo)).not.toHaveProperty('reason');
    const area = { x: 30, y: 10, width: 40, height: 20 };
    await ada.until(() => areas(ada).length > 0);
    expect(ada.all('view')).toEqual([{ participant: idOf(bo), area }]);
    await bo.until(() => bo.all('followers').length > 0);
    expect(bo.all('followers')).toEqual([{ count: 1 }]);
    lookAt(bo, 80, 60);
    await ada.until(() => areas(ada).length > 1);
    expect(areas(ada).at(-1)).toEqual({ ...area, x: 80, width: 60 });
    await follow(ada);
    await bo.until(() => bo.all('followers').at(-1)?.count === 0);
    lookAt(bo, 20, 60);
    await ada.ask('name', { name: 'Ada L' });
    expect(areas(ada)).toHaveLength(2);
  });

  test('ends for both sides when the room is shown anew, as after an undo', async () => {
    const [ada, bo] = [await join('Ada'), await join('Bo')];
    expect(await follow(ada, bo)).not.toHaveProperty('reason');
    roomServer().refresh.request();
    await ada.until(() => ada.all('welcome').length > 1);
    // Two cannot follow each other.
    expect(await follow(bo, ada)).not.toHaveProperty('reason');
  });

  test('ends when the other leaves or is muted, and counts no followers that have left', async () => {
    const [ada, bo, cy] = [await join('Ada'), await join('Bo'), await join('Cy')];
    await follow(ada, bo);
    await follow(cy, bo);
    await bo.until(() => bo.all('followers').at(-1)?.count === 2);
    cy.leave();
    await bo.until(() => bo.all('followers').at(-1)?.count === 1);
    await host.call('mute', { participant: idOf(bo), muted: true });
    await ada.until(() => ada.all('view').at(-1)?.area === undefined);
    expect(await follow(ada, bo)).toMatchObject({ reason: 'no-such-participant' });
    await host.call('mute', { participant: idOf(bo), muted: false });
    await follow(ada, bo);
    await ada.until(() => areas(ada).at(-1) !== undefined);
    bo.leave();
    await ada.until(() => areas(ada).at(-1) === undefined);
    expect(await follow(ada, bo)).toMatchObject({ reason: 'no-such-participant' });
  });

  test('of oneself, of a number that nobody has, and in a circle is refused', async () => {
    const [ada, bo, cy] = [await join('Ada'), await join('Bo'), await join('Cy')];
    expect(await follow(ada, ada)).toMatchObject({ reason: 'no-such-participant' });
    expect(await ada.ask('follow', { participant: 9_999 })).toMatchObject({
      reason: 'no-such-participant',
    });
    expect(await ada.ask('follow', { participant: 'Bo' })).toMatchObject({ reason: 'bad-message' });
    await follow(ada, bo);
    await follow(bo, cy);
    expect(await follow(cy, ada)).toMatchObject({ reason: 'follows-you' });
    expect(await follow(bo)).not.toHaveProperty('reason');
    expect(await follow(cy, ada)).not.toHaveProperty('reason');
  });
});

describe('a spectator', () => {
  test('sees the room, takes nobody’s place, is announced to nobody, and cannot act', async () => {
    await host.call('changeSettings', { capacity: 1 });
    const ada = await join('Ada');
    const spectator = await watch();
    const organism = await ada.plant(60, 40);
    await spectator.until(() => spectator.life.some(({ what }) => what === 'born'));
    await spectator.sees(room.grid.planes);
    expect(roomServer().seats.size).toBe(1);
    expect(roomServer().walls.size).toBe(0);
    expect((await host.call('room')).visitors).toHaveLength(1);
    const before = room.size;
    const commands = {
      plant: { x: 100, y: 40, seed: { from: 'gallery', index: 2 } },
      damage: { radius: 4, points: [60, 40, 64, 44] },
      cross: { a: organism, b: organism, mix: 0.5 },
      ...{ beacon: { organism }, keep: { organism }, report: { organism } },
      ...{ name: { name: 'Eve' }, follow: { participant: ada.welcome!.you.id } },
      preview: { seed: { from: 'prior' } },
    } as const;
    for (const [name, command] of Object.entries(commands)) {
      expect(await spectator.ask(name as keyof typeof commands, command)).toMatchObject({
        reason: 'only-watches',
        detail: name,
      });
    }
    expect(room.size).toBe(before);
    expect(room.viewOf(organism)!.wounds).toBe(0);
    await host.call('changeSettings', { capacity: 200 });
  });

  test('is sent away when the host switches the link off, gets in again after that, and others stay', async () => {
    const [ada, spectator, wall] = [await join('Ada'), await watch(), await hang()];
    await host.call('changeSettings', { spectators: false });
    expect(await spectator.refusal()).toBe('no-spectators');
    expect(await refusal()).toBe('no-spectators');
    expect([ada, wall].every(({ socket }) => socket.connected)).toBe(true);
    expect(roomServer().spectators.size).toBe(0);
    await host.call('changeSettings', { spectators: true });
    await watch();
  });

  test('is sent away with the visitors when the rooms close, unlike a wall, and a ban holds', async () => {
    const [spectator, wall] = [await watch(), await hang()];
    server.rooms.setHours({ dim: true, closed: true });
    expect(await spectator.refusal()).toBe('room-closed');
    expect(await refusal()).toBe('room-closed');
    server.rooms.setHours({ dim: false, closed: false });
    expect(wall.socket.connected).toBe(true);

    const eve = await join('Eve');
    const { you, mark } = eve.welcome!;
    await host.call('ban', { participant: you.id, address: false, minutes: 1 });
    expect(await refusal({ mark })).toBe('sent-away');
  });
});
