/**
 * Records a busy room with the current server, for later releases to open (takes two minutes):
 *
 *     node --import tsx test/support/make-release-store.ts
 *
 * Writes two things to test/fixtures/release-store/: `data`, the data folder as a killed server
 * left it, with
 * `data.mdb` compressed; and `expected.json`, what the current code sees when it opens that folder.
 * The committed fixture was written by commit 36b96a1. Running this script replaces it, so only do
 * that to cover a newer release.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostClient } from './host-client.ts';
import { flagsOf, ServerProcess } from './process.ts';
import {
  EXPECTED,
  FIXTURE,
  observeOpening,
  observeUndo,
  pack,
  plain,
  type Recording,
  ROOM,
  SETTINGS,
  TICK_RATE,
} from './release-store.ts';
import { Visitor } from './visitor.ts';

const ADDRESSES = { Ada: '10.0.0.1', Bo: '10.0.0.2', Cy: '10.0.0.3', Dan: '10.0.0.4' };
const BANNED = '10.0.0.5';

type Answer = Awaited<ReturnType<Visitor['ask']>>;

function accepted(answer: Answer): Exclude<Answer, { reason: unknown }> {
  if ('reason' in answer) throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer;
}

function refused(answer: Answer, reason: string): void {
  if (!('reason' in answer) || answer.reason !== reason) {
    throw new Error(`not refused as ${reason}: ${JSON.stringify(answer)}`);
  }
}

const start = (data: string, snapshotSeconds: number): ServerProcess =>
  new ServerProcess(
    flagsOf({
      ...SETTINGS,
      port: 0,
      host: '127.0.0.1',
      data,
      attract: 'off',
      snapshot: snapshotSeconds,
    }),
  );

const enter = (port: number, name: string, address: string, resume?: string) =>
  Visitor.join(port, ROOM, name, {
    headers: { 'x-forwarded-for': address },
    ...(resume && { resume }),
  });

/** Waits for a number of ticks. */
async function ticks(visitor: Visitor, count: number): Promise<void> {
  const until = visitor.tick! + count;
  await visitor.until(() => visitor.tick! >= until);
}

const asleep = (host: HostClient, visitor: Visitor) => async (): Promise<void> => {
  do await ticks(visitor, 15);
  while ((await host.call('room', {})).awake > 0);
};

/**
 * First session, with frequent snapshots: every kind of journal entry, an undo, a named snapshot,
 * bans, settings. Stops cleanly.
 */
async function firstSession(data: string) {
  const server = start(data, 0.5);
  const port = await server.alive();
  const hostToken = await server.hostToken();
  const host = await HostClient.login(port, hostToken);
  const settings = { tickRate: TICK_RATE, maxOrganisms: 4, attract: { on: false, after: 60 } };
  await host.call('changeSettings', settings);

  const bo = await enter(port, 'Bo', ADDRESSES.Bo);
  accepted(await bo.ask('plant', { x: 70, y: 66, seed: { from: 'gallery', index: 1 } }));
  await ticks(bo, 5);
  // Undone while the organism is small, to keep the two snapshots that come with it small.
  await host.call('undo', { seconds: 60, participant: bo.welcome!.you.id });

  const cy = await enter(port, 'Cy', ADDRESSES.Cy);
  accepted(await cy.ask('plant', { x: 20, y: 20, seed: { from: 'gallery', index: 3 } }));
  const ada = await enter(port, 'Ada', ADDRESSES.Ada);
  const sleep = asleep(host, ada);
  accepted(await ada.ask('name', { name: 'Ada L.' }));
  accepted(await ada.ask('plant', { x: 70, y: 20, seed: { from: 'prior' } }));
  await sleep();
  const [first, second] = [
    ...ada.welcome!.organisms,
    ...ada.life.flatMap((event) => (event.what === 'born' ? [event.organism] : [])),
  ].map(({ id }) => id);
  accepted(await ada.ask('cross', { a: first, b: second, mix: 0.4, mutation: 0.3 }));
  const pixels = new Uint8Array(32 * 32);
  for (let y = 6; y < 26; y++) pixels.fill(255, 32 * y + 14, 32 * y + 18);
  accepted(await ada.ask('draw', { pixels }));
  const { token } = accepted(await ada.ask('keep', { organism: first }));
  const cyToken = cy.welcome!.resume;
  cy.leave();
  await host.call('takeSnapshot', { name: 'Opening day' });

  const dan = await enter(port, 'Dan', ADDRESSES.Dan);
  accepted(await dan.ask('damage', { radius: 2, points: [20, 14, 26, 20] }));
  const danToken = dan.welcome!.resume;
  const ban = { participant: dan.welcome!.you.id, address: false, minutes: null };
  await host.call('ban', ban);
  const eve = await enter(port, 'Eve', BANNED);
  await host.call('ban', { participant: eve.welcome!.you.id, address: true, minutes: 60 });
  await host.call('changeSettings', {
    ...{ capacity: 20, maxRadius: 9, cooldown: 1, captions: false, languages: ['da', 'en'] },
    energy: { capacity: 60, newcomer: 40, refillPerSecond: 2, plant: 12, damagePerCell: 0.05 },
  });
  // A seat is kept for a minute; after that the journal has a `leave` entry for Cy.
  await ticks(ada, 61 * TICK_RATE);
  await sleep();
  const tokens = { Ada: ada.welcome!.resume, Bo: bo.welcome!.resume, Cy: cyToken, Dan: danToken };
  await server.end();
  return { hostToken, tokens, token, first, second };
}

/** Second session: one snapshot at its start, then journal only. Killed while organisms grow. */
async function secondSession(data: string, before: Awaited<ReturnType<typeof firstSession>>) {
  const { hostToken, tokens, token, first, second } = before;
  const server = start(data, 600);
  const port = await server.alive();
  const host = await HostClient.login(port, hostToken);
  const ada = await enter(port, 'Ada L.', ADDRESSES.Ada, tokens.Ada);
  const bo = await enter(port, 'Bo', ADDRESSES.Bo, tokens.Bo);
  const fay = await enter(port, 'Fay', ADDRESSES.Bo);

  accepted(await ada.ask('plant', { x: 70, y: 70, seed: { from: 'token', token } }));
  accepted(await bo.ask('damage', { radius: 3, points: [14, 20, 24, 24] }));
  accepted(await bo.ask('plant', { x: 22, y: 70, seed: { from: 'map', x: 0.3, y: 0.6 } }));
  await ticks(ada, TICK_RATE + 2);
  refused(await fay.ask('plant', { x: 48, y: 48, seed: { from: 'prior' } }), 'garden-full');
  await host.call('removeOrganism', { organism: second });
  accepted(await fay.ask('plant', { x: 70, y: 20, seed: { from: 'prior' } }));
  refused(
    await ada.ask('plant', { x: 20, y: 20, seed: { from: 'gallery', index: 2 } }),
    'garden-full',
  );
  // On bare ground, until Bo has no energy left.
  for (let isRich = true; isRich; ) {
    isRich = !('reason' in (await bo.ask('damage', { radius: 6, points: [30, 44, 66, 44] })));
  }
  accepted(await ada.ask('damage', { radius: 2, points: [66, 66, 74, 74] }));
  await ticks(ada, 8);
  accepted(await ada.ask('cross', { a: first, b: first, mix: 0.5 }));
  const fayToken = fay.welcome!.resume;
  fay.leave();
  // A checksum reaches the disk with the first command after it.
  await ticks(ada, 16);
  accepted(await bo.ask('cross', { a: first, b: first, mix: 0.1 }));
  const recording: Recording = {
    at: Date.now(),
    hostToken,
    callers: [
      { name: 'Ada L.', address: ADDRESSES.Ada, resume: ada.welcome!.resume },
      { name: 'Bo', address: ADDRESSES.Bo, resume: bo.welcome!.resume },
      { name: 'Cy', address: ADDRESSES.Cy, resume: tokens.Cy },
      { name: 'Fay', address: ADDRESSES.Bo, resume: fayToken },
      { name: 'Dan', address: '10.0.0.9', resume: tokens.Dan },
      { name: 'Eve', address: BANNED },
      { name: 'Gil', address: ADDRESSES.Dan },
    ],
    undo: { participant: bo.welcome!.you.id, seconds: 40 },
  };
  await server.end('SIGKILL');
  return recording;
}

const data = mkdtempSync(join(tmpdir(), 'vivarium-record-'));
const recording = await secondSession(data, await firstSession(data));
mkdirSync(FIXTURE, { recursive: true });
pack(data);
rmSync(data, { recursive: true });
const opening = plain(await observeOpening(recording));
const undo = plain(await observeUndo(recording));
writeFileSync(EXPECTED, `${JSON.stringify({ recording, opening, undo }, null, 1)}\n`);
