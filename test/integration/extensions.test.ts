/** Extensions on a running server: what they hear, refuse and do. None of them can hold the server up. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DRAWING_ANSWER, LIMITS } from '../../server/extensions/extension-limits.ts';
import { type Clock, systemClock } from '../../server/platform/clock.ts';
import { suiteFolder } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import { LogRecorder } from '../support/receivers.ts';
import { hostOf, suiteServer } from '../support/suite.ts';

const EXAMPLE = fileURLToPath(
  new URL('../../server/extensions/examples/remembrance.ts', import.meta.url),
);
const SHELL = { from: 'gallery', index: 3 } as const;
const folder = suiteFolder();

/** Real time, but a busy machine's extensions may take a minute to answer and to close. */
const patient: Clock = {
  now: systemClock.now,
  after: (delay, call) => {
    const { answer, closing } = LIMITS;
    const waits = [answer, closing, DRAWING_ANSWER];
    return systemClock.after(waits.includes(delay as never) ? 60_000 : delay, call);
  },
};

/** Writes extensions to files. @param sources by name @returns the value of `--extension` */
async function filesOf(sources: Readonly<Record<string, string>>): Promise<string> {
  const files = Object.entries(sources).map(async ([name, source]) => {
    const file = join(folder, `${name}.mjs`);
    await writeFile(file, source);
    return file;
  });
  return (await Promise.all(files)).join();
}

/** Starts a server with extensions for all tests of this file. */
async function serverWith(extension: string, organisms: object = SMALL, clock = systemClock) {
  const log = new LogRecorder();
  const settings = { ...organisms, size: '160x96', 'tick-rate': 30, extension };
  return { ...(await suiteServer(settings, { clock, log, drawsSoon: true })), log };
}

/** Lines that an extension has logged. */
const saidBy = (log: LogRecorder, name: string): string[] =>
  log.lines.flatMap(({ event, sentence }) =>
    event === 'extension' && sentence.startsWith(`${name}: `)
      ? sentence.slice(name.length + 2)
      : [],
  );

describe('several extensions', () => {
  const started = filesOf({
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
        onDraw: async ({ side, pixels, by }) => {
          await null;
          if (pixels.length !== 4 * side * side) return { refuse: 'broken' };
          if (pixels[0] === 1) return { refuse: 'not by ' + by.name };
          return pixels[0] === 2 ? { allow: true } : undefined;
        },
      }`,
    ear: `export default (hand) => ({
        name: 'ear',
        onRoomOpened: ({ room, width, gallery }) => hand.say('opened ' + room + ' ' + width + ' ' + gallery.length),
        onJoined: ({ participant }) => hand.say('joined ' + participant.name),
        onLife: ({ event }) => hand.say(event.what + ' ' + (event.organism?.id ?? event.id ?? event.parents)),
        onFigures: ({ people, organisms, colour }) => organisms && hand.say('figures ' + people + ' ' + colour.every((c) => c >= 0 && c <= 1)),
        onLeft: ({ participant }) => hand.say('left ' + participant.name),
        onClose: () => hand.say('closing'),
      })`,
    clumsy: `export default {
        name: 'clumsy',
        onTick() { throw new Error('oh dear'); },
        onPlant: async () => { throw new Error('oh no'); },
      }`,
  }).then((files) => serverWith(`${files},${EXAMPLE}`, {}, patient));

  test('refuse with their reasons, and what they let pass keeps its order; one that is shipped keeps its clearing', async () => {
    const { join: enter, connect, room, log } = await started;
    const ada = await enter('Ada');
    const plant = (x: number, y = 20) => ada.ask('plant', { x, y, seed: SHELL });
    const refused = (detail: string) => expect.objectContaining({ reason: 'not-here', detail });
    const accepted = expect.not.objectContaining({ reason: expect.anything() });
    expect(await Promise.all([plant(20), plant(60), plant(130), plant(80, 48)])).toEqual([
      ...[accepted, accepted, refused('judge: too far right')],
      refused('remembrance: nothing may be planted in the clearing'),
    ]);
    expect(room.organisms.map(({ x }) => x)).toEqual([20, 60]);
    expect([
      await ada.ask('damage', { radius: 2, points: [20, 20] }),
      await ada.ask('transform', { organism: 1, seed: SHELL }),
      await ada.ask('graft', { radius: 2, points: [20, 20], seed: SHELL }),
    ]).toEqual([
      refused('judge: nobody is hurt here'),
      refused('judge: Ada leaves 1'),
      refused('judge: no graft at 20,20,2'),
    ]);
    expect(room.organisms[0].wounds).toBe(0);

    const nobody = connect();
    nobody.requestJoin({ name: 'Nobody' });
    await nobody.refusal();
    expect(nobody.all('rejected')).toEqual([refused('judge: not tonight')]);
    expect(nobody.welcome).toBeUndefined();
    // The visitor may join under another name.
    nobody.requestJoin({ name: 'Somebody' });
    await nobody.until(() => nobody.welcome !== undefined);

    // One that throws is named in the log and stopped after five failures. The room goes on.
    await log.until('extension-stopped', 'clumsy');
    // It may have started again since, and failed again.
    const stopped = log.lines.findIndex(({ event }) => event === 'extension-stopped');
    const failed = log.lines.slice(0, stopped).filter(({ event }) => event === 'extension-failed');
    expect(failed).toHaveLength(5);
    expect(log.has('extension-failed', 'oh dear')).toBe(true);
  });

  test('judge drawings, and leave others to the host', async () => {
    const { server, join: enter } = await started;
    const host = await hostOf(server);
    await host.call('changeSettings', { drawings: 'ask' });
    const ada = await enter('Ada');
    const draw = (first: number) => ada.ask('draw', { pixels: new Uint8Array(4096).fill(first) });
    expect(await draw(1)).toMatchObject({ reason: 'not-here', detail: 'judge: not by Ada' });
    expect(await draw(2)).toMatchObject({ seed: { origin: 'drawing' } });
    void draw(3);
    const { drawings } = server.rooms.requireOpen('garden').server;
    await ada.until(() => drawings.waiting.length === 1);
    expect(drawings.waiting[0].pixels[0]).toBe(3);
  });

  test('hear what happens, in order', async () => {
    const { server, join: enter, log } = await started;
    const cleo = await enter('Cleo');
    await cleo.cross(await cleo.plant(20, 70, SHELL), await cleo.plant(100, 70, SHELL));
    await log.until('extension', 'figures 1 true');
    cleo.leave();
    await log.until('extension', 'left Cleo');
    await server.close();
    const said = saidBy(log, 'ear');
    expect(said[0]).toBe('opened garden 160 418');
    const wanted = ['joined Cleo', 'born 3', 'born 4', 'crossed 3,4', 'left Cleo'];
    expect(said.filter((line) => wanted.includes(line))).toEqual(wanted);
    expect(said.at(-1)).toBe('closing');
  });
});

test('one that acts does so as a participant: named, checked and limited, but not among the people', async () => {
  const {
    server,
    room,
    join: enter,
    log,
  } = await serverWith(
    await filesOf({
      hands: `export default (hand) => ({
          name: 'The hands',
          async onJoined({ room }) {
            const seed = { from: 'gallery', index: 3 };
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
    }),
    {},
  );
  const ada = await enter('Ada');
  await log.until('extension', 'flooded');
  const said = saidBy(log, 'The hands');
  expect(said.slice(0, 2)).toEqual(['{}', '{}']);
  expect(said.slice(2, 9).map((line) => JSON.parse(line).refused.reason)).toEqual([
    ...['bad-message', 'off-grid', 'bad-message', 'no-such-room'],
    ...['not-grown', 'not-grown', 'bad-message'],
  ]);
  expect(said[9]).toBe('{}');
  expect(Number(said[10].split(' ')[1])).toBeGreaterThan(500);
  const { organisms } = room;
  expect(organisms.map(({ planter }) => planter.name)).toEqual(Array(3).fill('The hands'));
  expect(organisms[2].parents).toEqual([1, 2]);
  // The visitor and the extension have different participant numbers.
  expect(organisms[0].planter.id).not.toBe(ada.welcome!.you.id);
  expect(server.roomServers.get('garden')!.seats.size).toBe(1);
  const bo = await enter('Bo');
  expect(bo.welcome!.participants.map(({ name }) => name).sort()).toEqual(['Ada', 'Bo']);
  expect(bo.welcome!.you.id).toBeGreaterThan(organisms[0].planter.id);
});

test('one that never ends, ends its process, forgets to catch or eats all memory holds up neither ticks nor commands', async () => {
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
  const { room, join: enter, log } = await serverWith(await filesOf(Object.fromEntries(sources)));
  const ada = await enter();
  await ada.plant(40, 40, SHELL);
  const { tick } = room;
  await ada.until(() => room.tick > tick + 20);
  expect(room.organisms).toHaveLength(1);
  for (const name of names) await log.until('extension-failed', name);
});

test.each([
  ['does not exist', join(folder, 'gone.mjs'), 'does not exist'],
  ['exports none', await filesOf({ none: 'export const name = "none";' }), 'default export'],
])('with a file that %s, the server does not start, and says why', async (_, file, sentence) => {
  const message = expect.stringContaining(sentence);
  await expect(serverWith(file)).rejects.toMatchObject({ name: 'HookError', message });
});
