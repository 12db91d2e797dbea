/**
 * Extensions in a server that lives: what they hear, refuse and do, and that none of them can hold
 * it up.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VivariumServer } from '../../server/composition/create-server.ts';
import { DRAWING_ANSWER, LIMITS } from '../../server/extensions/extension-thread.ts';
import { type Clock, systemClock } from '../../server/platform/clock.ts';
import type { Room } from '../../server/world/room.ts';
import { afterTest, suiteFolder } from '../support/closing.ts';
import { LogRecorder } from '../support/receivers.ts';
import { type ServerOptions, startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const EXAMPLE = fileURLToPath(
  new URL('../../server/extensions/examples/remembrance.ts', import.meta.url),
);
const SHELL = { from: 'gallery', index: 105 } as const;

const folder = suiteFolder();
let server: VivariumServer;
let room: Room;
let hearing: LogRecorder;

/**
 * Real time, but that an extension of a busy machine may take as long as it likes to answer and to
 * close.
 */
const patient: Clock = {
  now: systemClock.now,
  after: (delay, call) => {
    const { answer, closing } = LIMITS;
    const waits = [answer, closing, DRAWING_ANSWER];
    return systemClock.after(waits.includes(delay as never) ? 60_000 : delay, call);
  },
};

/** Starts a server with extensions. @param sources of each, by name */
async function start(
  sources: Readonly<Record<string, string>>,
  options: ServerOptions = {},
): Promise<void> {
  const files = Object.entries(sources).map(async ([name, source]) => {
    const file = join(folder, `${name}.mjs`);
    await writeFile(file, source);
    return file;
  });
  await startWith((await Promise.all(files)).join(), options);
}

async function startWith(extension: string, options: ServerOptions = {}): Promise<void> {
  hearing = new LogRecorder();
  const settings = { size: '160x96', 'tick-rate': 30, extension };
  server = await startServer(settings, { ...options, log: hearing });
  afterTest(() => server.close());
  room = server.world.rooms.get('garden')!;
}

async function come(name?: string): Promise<Visitor> {
  const visitor = await Visitor.join(server.port, 'garden', name);
  afterTest(() => visitor.leave());
  return visitor;
}

/** What an extension has said, after the word that it is loaded. */
const saidBy = (name: string): string[] =>
  hearing.lines
    .filter(({ event }) => event === 'extension')
    .map(({ sentence }) => sentence.replace(`${name}: `, ''));

/** Waits until the room has ticked so often. */
function ticks(visitor: Visitor, count: number): Promise<void> {
  const until = room.tick + count;
  return visitor.until(() => room.tick >= until);
}

describe('an extension', () => {
  test('judges drawings, and leaves others to the host', async () => {
    await start(
      {
        judge: `export default {
          name: 'judge',
          onDraw: async ({ side, pixels, by }) => {
            await null;
            if (pixels.length !== 4 * side * side) return { refuse: 'broken' };
            if (pixels[0] === 1) return { refuse: 'not by ' + by.name };
            return pixels[0] === 2 ? { allow: true } : undefined;
          },
        }`,
      },
      { clock: patient, drawsSoon: true },
    );
    const host = await hostOf(server);
    await host.call('changeSettings', { drawings: 'ask' });
    const ada = await come('Ada');
    const draw = (first: number) => ada.ask('draw', { pixels: new Uint8Array(4096).fill(first) });
    expect(await draw(1)).toMatchObject({ reason: 'not-here', detail: 'judge: not by Ada' });
    expect(await draw(2)).toMatchObject({ seed: { origin: 'drawing' } });
    void draw(3);
    const { drawings } = server.rooms.requireOpen('garden').server;
    await ada.until(() => drawings.waiting.length === 1);
    expect(drawings.waiting[0].pixels[0]).toBe(3);
  });

  test('hears what happens, in order', async () => {
    await start(
      {
        ear: `export default (hand) => ({
          name: 'ear',
          onRoomOpened: ({ room, width, gallery }) => hand.say('opened ' + room + ' ' + width + ' ' + gallery.length),
          onJoined: ({ participant }) => hand.say('joined ' + participant.name),
          onLife: ({ event }) => hand.say(event.what + ' ' + (event.organism?.id ?? event.id ?? event.parents)),
          onFigures: ({ people, organisms, colour }) => organisms && hand.say('figures ' + people + ' ' + colour.every((c) => c >= 0 && c <= 1)),
          onLeft: ({ participant }) => hand.say('left ' + participant.name),
          onClose: () => hand.say('closing'),
        })`,
      },
      { clock: patient },
    );
    const ada = await come('Ada');
    await ada.cross(await ada.plant(40, 40, SHELL), await ada.plant(100, 40, SHELL));
    await hearing.until('extension', 'figures 1 true');
    ada.leave();
    await hearing.until('extension', 'left Ada');
    await server.close();
    const said = saidBy('ear');
    expect(said.slice(0, 2)).toEqual(['The extension "ear" is loaded.', 'opened garden 160 418']);
    const wanted = ['joined Ada', 'born 1', 'born 2', 'crossed 1,2', 'left Ada'];
    expect(said.filter((line) => wanted.includes(line))).toEqual(wanted);
    expect(said.at(-1)).toBe('closing');
  });

  test('refuses with its reason, and what it lets pass keeps its order', async () => {
    await start(
      {
        judge: `let first = true;
        export default {
          name: 'judge',
          onJoin: ({ name }) => (name === 'Nobody' ? { refuse: 'not tonight' } : undefined),
          async onPlant({ x }) {
            if (x > 120) return { refuse: 'too far right' };
            // The first takes longer than all that follow.
            if (first) { first = false; await new Promise((done) => setTimeout(done, 150)); }
          },
          onStroke: () => ({ refuse: 'nobody is hurt here' }),
          onTransform: ({ organism, by }) => ({ refuse: by.name + ' leaves ' + organism }),
          onGraft: ({ points, radius }) => ({ refuse: 'no graft at ' + [...points, radius] }),
        }`,
      },
      { clock: patient },
    );
    const ada = await come('Ada');
    const [slow, quick, right] = await Promise.all([
      ada.ask('plant', { x: 20, y: 20, seed: SHELL }),
      ada.ask('plant', { x: 60, y: 20, seed: SHELL }),
      ada.ask('plant', { x: 130, y: 20, seed: SHELL }),
    ]);
    expect(slow).not.toHaveProperty('reason');
    expect(quick).not.toHaveProperty('reason');
    expect(right).toMatchObject({ reason: 'not-here', detail: 'judge: too far right' });
    expect(room.organisms.map(({ x }) => x)).toEqual([20, 60]);
    expect(await ada.ask('damage', { radius: 2, points: [20, 20] })).toMatchObject({
      reason: 'not-here',
    });
    expect(room.organisms[0].wounds).toBe(0);
    expect(await ada.ask('transform', { organism: 1, seed: SHELL })).toMatchObject({
      detail: 'judge: Ada leaves 1',
    });
    expect(await ada.ask('graft', { radius: 2, points: [20, 20], seed: SHELL })).toMatchObject({
      detail: 'judge: no graft at 20,20,2',
    });

    const nobody = new Visitor(server.port);
    afterTest(() => nobody.leave());
    nobody.requestJoin({ name: 'Nobody' });
    await nobody.refusal();
    expect(nobody.all('rejected')).toMatchObject([
      { reason: 'not-here', detail: 'judge: not tonight' },
    ]);
    expect(nobody.welcome).toBeUndefined();
    // The visitor may join under another name.
    nobody.requestJoin({ name: 'Somebody' });
    await nobody.until(() => nobody.welcome !== undefined);
  });

  test('acts as a participant does: named, checked, limited, but not among the people', async () => {
    await start({
      hands: `export default (hand) => ({
          name: 'The hands',
          async onJoined({ room }) {
            const seed = { from: 'gallery', index: 105 };
            const at = (x, y) => hand.plant(room, { x, y, seed });
            const tell = async (act) => hand.say(JSON.stringify(await act));
            await tell(at(40, 40));
            await tell(at(100, 40));
            await tell(at(0.5, 40));
            await tell(at(1, 1));
            await tell(hand.plant(room, null));
            await tell(hand.plant('nowhere', { x: 1, y: 1, seed }));
            await tell(hand.transform(room, { organism: 1, seed }));
            await tell(hand.graft(room, { radius: 2, points: [40, 40], seed }));
            await tell(hand.graft(room, { radius: 2, points: [40, 40], seed, others: true }));
            const { seed: child } = await hand.cross(room, { a: 1, b: 2, mix: 0.5 });
            await tell(hand.plant(room, { x: 70, y: 70, seed: { from: 'hand', seed: child.id } }));
            const flood = await Promise.all(Array.from({ length: 1000 }, () => hand.damage(room, { radius: 1, points: [0, 0] })));
            hand.say('flooded ' + flood.filter(({ refused }) => refused?.reason === 'too-fast').length);
          },
        })`,
    });
    const ada = await come('Ada');
    await hearing.until('extension', 'flooded');
    const said = saidBy('The hands').slice(1);
    expect(said.slice(0, 2)).toEqual(['{}', '{}']);
    expect(said.slice(2, 9).map((line) => JSON.parse(line).refused.reason)).toEqual([
      'bad-message',
      'off-grid',
      'bad-message',
      'no-such-room',
      'not-grown',
      'not-grown',
      'bad-message',
    ]);
    expect(said[9]).toBe('{}');
    expect(Number(said[10].split(' ')[1])).toBeGreaterThan(500);
    const { organisms } = room;
    expect(organisms.map(({ planter }) => planter.name)).toEqual(Array(3).fill('The hands'));
    expect(organisms[2].parents).toEqual([1, 2]);
    // The visitor and the extension have different participant numbers.
    expect(organisms[0].planter.id).not.toBe(ada.welcome!.you.id);
    expect(server.roomServers.get('garden')!.seats.size).toBe(1);
    const bo = await come('Bo');
    expect(bo.welcome!.participants.map(({ name }) => name).sort()).toEqual(['Ada', 'Bo']);
    expect(bo.welcome!.you.id).toBeGreaterThan(organisms[0].planter.id);
  });

  test('that throws is named in the log and stopped after five times; the room goes on', async () => {
    await start({
      clumsy: `export default {
          name: 'clumsy',
          onTick() { throw new Error('oh dear'); },
          onPlant: async () => { throw new Error('oh no'); },
        }`,
      calm: `export default (hand) => ({ name: 'calm', onLife: ({ event }) => hand.say(event.what) })`,
    });
    await hearing.until('extension-stopped', 'clumsy');
    expect(hearing.lines.filter(({ event }) => event === 'extension-failed').length).toBe(5);
    expect(hearing.has('extension-failed', 'oh dear')).toBe(true);
    const ada = await come();
    await ada.plant(40, 40, SHELL);
    await hearing.until('extension', 'calm: born');
    await ticks(ada, 10);
  });

  test('that never ends, ends its process, forgets to catch or eats all memory holds up neither ticks nor wishes', async () => {
    const bodies = [
      `while (true);`,
      `process.exit(1);`,
      `setTimeout(() => { throw new Error('later'); }); await new Promise(() => {});`,
      `const all = []; while (true) all.push(new Array(1e6).fill(all.length));`,
    ];
    const names = bodies.map((_, i) => `bad-${i + 1}`);
    const sources = bodies.map((body, i) => [
      names[i],
      `export default { name: '${names[i]}', async onPlant() { ${body} } }`,
    ]);
    await start(Object.fromEntries(sources));
    const ada = await come();
    const before = room.tick;
    await ada.plant(40, 40, SHELL);
    await ticks(ada, 20);
    expect(room.organisms).toHaveLength(1);
    expect(room.tick).toBeGreaterThan(before);
    for (const name of names) await hearing.until('extension-failed', name);
  });

  test('that does not exist or is none: the server does not start, and says why', async () => {
    const refused = (sentence: string) => ({
      ...{ name: 'HookError', message: expect.stringContaining(sentence) },
    });
    const gone = startWith(join(folder, 'gone.mjs'));
    await expect(gone).rejects.toMatchObject(refused('does not exist'));
    const none = start({ none: 'export const name = "none";' });
    await expect(none).rejects.toMatchObject(refused('has no valid default export'));
  });

  test('that cannot be loaded at first: the server starts without it, and it comes later', async () => {
    const device = join(folder, 'device');
    await start({
      waiting: `import { existsSync } from 'node:fs';
        if (!existsSync(${JSON.stringify(device)})) throw new Error('no ink');
        export default (hand) => ({ name: 'late', onRoomOpened: ({ room }) => hand.say('opened ' + room) })`,
    });
    expect(hearing.has('extension-failed', 'no ink')).toBe(true);
    const ada = await come('Ada');
    await ticks(ada, 2);
    await writeFile(device, '');
    await hearing.until('extension', 'late: opened garden');
  });

  test('the one that is shipped keeps its clearing', async () => {
    await startWith(EXAMPLE, { clock: patient });
    const ada = await come();
    expect(await ada.ask('plant', { x: 80, y: 48, seed: SHELL })).toMatchObject({
      reason: 'not-here',
      detail: 'remembrance: nothing may be planted in the clearing',
    });
    await ada.plant(30, 48, SHELL);
  });
});
