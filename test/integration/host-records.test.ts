/** What a host can fetch: pictures, replay bundles, films, figures, signs. */

import { writeFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { generate } from 'lean-qr';
import sharp from 'sharp';
import { escaped } from '../../server/host/printed-sign.ts';
import { DWELL_SPANS, HEAT_SIDE } from '../../shared/host/visit-statistics.ts';
import { suiteFolder } from '../support/closing.ts';
import { SMALL } from '../support/organisms.ts';
import fc, { anyText } from '../support/property.ts';
import { ALL_EQUAL, replayed } from '../support/replay.ts';
import { noonClock } from '../support/server.ts';
import { hostOf, suiteServer } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const WIDTH = 96;
const HEIGHT = 64;
const data = suiteFolder();
const { server, room, join } = await suiteServer(
  {
    ...{ data, size: `${WIDTH}x${HEIGHT}`, 'tick-rate': 30, energy: 'off', snapshot: 0.3 },
    ...SMALL,
  },
  { date: noonClock() },
);
const host = await hostOf(server);
/** Tick at which the first seeds are in the ground. */
let planted: number;

beforeAll(async () => {
  const ada = await Visitor.join(server.port, 'garden', 'Ada');
  const seed = { from: 'gallery', index: 4 };
  const id = await ada.plant(30, 30, seed);
  expect(await ada.ask('plant', { x: 30, y: 30, seed })).toMatchObject({ reason: 'occupied' });
  await ada.plant(80, 40, seed);
  planted = room.tick;
  await ada.until(() => ada.tick! > planted + 40);
  // One stroke, as a page sends it.
  await ada.ask('damage', { radius: 2, points: [1, 1] });
  await ada.ask('damage', { radius: 2, points: [1, 1, 5, 5] });
  await ada.ask('damage', { radius: 2, points: [5, 5, 5, 9] });
  await ada.cross(id, id);
  await ada.until(() => ada.tick! > planted + 60);
  ada.leave();
});

async function bytesOf(path: string): Promise<Buffer> {
  const response = await host.fetch(path);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

const statusOf = async (path: string): Promise<string> => {
  const response = await host.fetch(path);
  const text = await response.text();
  return response.ok
    ? `${response.status}`
    : `${response.status} ${(JSON.parse(text) as { reason: string }).reason}`;
};

test('a snapshot is taken with a name, and shows what the room showed then', async () => {
  const { tick } = await host.call('takeSnapshot', { name: '  Before <lunch> ' });
  const [snapshot] = (await host.call('snapshots', {})).filter((one) => one.tick === tick);
  expect(snapshot).toMatchObject({ name: 'Before <lunch>', organisms: 2 });
  const picture = sharp(await bytesOf(`/rooms/garden/snapshots/${tick}/picture.png`));
  const { data: rgb, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([WIDTH, HEIGHT]);
  expect(rgb.some((value) => value > 100)).toBe(true);
  expect(await statusOf('/rooms/garden/snapshots/999999/picture.png')).toBe('404 no-such-snapshot');
  expect((await sharp(await bytesOf('/rooms/garden/picture.png')).metadata()).width).toBe(WIDTH);
  expect(await host.refusal('takeSnapshot', { name: ' ' })).toBe('bad-call');
});

test('a replay bundle is fetched, and replayed elsewhere', async () => {
  const file = pathOf(data, 'fetched.bundle');
  writeFileSync(file, await bytesOf('/rooms/garden/replay-bundle'));
  const { code, output } = await replayed(file, '--checkpoint', SMALL.checkpoint);
  expect(code).toBe(0);
  expect(output).toMatch(ALL_EQUAL);
  expect(await statusOf('/rooms/garden/replay-bundle?from=9999999')).toBe('404 no-such-time');
  expect(await statusOf('/rooms/garden/replay-bundle?from=x')).toBe('400 bad-call');
  expect(await statusOf('/rooms/attic/replay-bundle')).toBe('404 no-such-room');
});

/** Waits until a job has ended; its progress never goes back. */
async function finished(id: string) {
  for (let progress = 0; ; ) {
    const job = (await host.call('state')).jobs.find((one) => one.id === id)!;
    expect(job.progress).toBeGreaterThanOrEqual(progress);
    if (job.state !== 'going') return job;
    progress = job.progress;
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

async function film(kind: 'gif' | 'png', ticks: number): Promise<Buffer> {
  // While there is something to see, however long the room has been at rest when the film is made.
  const stretch = { from: planted, to: planted + ticks };
  const { id } = await host.call('timelapse', { kind, seconds: 1, ...stretch });
  expect(await host.refusal('timelapse', { kind })).toBe('too-many-jobs');
  expect(await statusOf(`/jobs/${id}/file`)).toBe('409 job-not-done');
  const job = await finished(id);
  expect(job).toMatchObject({ state: 'done', error: null, progress: 1 });
  const bytes = await bytesOf(`/jobs/${id}/file`);
  expect(bytes).toHaveLength(job.bytes!);
  return bytes;
}

test('the day is made a film by a process of its own, while the room goes on', async () => {
  const { tick } = room;
  const picture = sharp(await film('gif', 45), { animated: true });
  const { pages = 0, width, pageHeight } = await picture.metadata();
  expect(pages).toBeGreaterThan(5);
  expect(pages).toBeLessThanOrEqual(16);
  expect([width! / WIDTH, pageHeight! / HEIGHT]).toEqual([8, 8]);
  expect(room.tick).toBeGreaterThan(tick + 10);
});

test('any moment of a film is fetched, and walls show it until the host ends that', async () => {
  const jobs = (await host.call('state')).jobs;
  const { id, frames } = jobs.findLast(({ kind, state }) => kind === 'gif' && state === 'done')!;
  expect(frames).toBeGreaterThan(5);
  const planes = await bytesOf(`/jobs/${id}/frames/${frames! - 1}`);
  expect(planes).toHaveLength(8 * WIDTH * HEIGHT);
  expect(planes.subarray(0, 4 * WIDTH * HEIGHT).some((value) => value > 100)).toBe(true);
  expect(await statusOf(`/jobs/${id}/frames/${frames}`)).toBe('404 no-such-time');
  expect(await statusOf(`/jobs/${id}/frames/x`)).toBe('404 no-such-time');

  // A wall has no session.
  const forWalls = async (frame: number) =>
    (await fetch(`http://127.0.0.1:${server.port}/host/api/films/${id}/${frame}`)).status;
  const wall = await join(undefined, { as: 'wall' });
  const shown = () => wall.all('film').slice(1);
  expect(await forWalls(0)).toBe(404);
  await host.call('showFilm', { job: id, frame: 2, speed: 0 });
  await wall.until(() => shown().length > 0);
  expect(shown()[0].film).toMatchObject({ id, frames, frame: 2, speed: 0 });
  // They are told when all pictures were.
  expect(shown()[0].film!.times!.map(({ frame }) => frame)).toEqual(
    expect.arrayContaining([0, frames! - 1]),
  );
  expect(await forWalls(0)).toBe(200);
  const late = await join(undefined, { as: 'wall' });
  await late.until(() => late.all('film').length > 0);
  expect(late.all('film')).toMatchObject([{ film: { id } }]);
  expect(await host.refusal('showFilm', { job: id, frame: frames, speed: 1 })).toBe('no-such-time');
  expect(await host.refusal('showFilm', { job: 'x', frame: 0, speed: 1 })).toBe('no-such-job');
  await host.call('showRoom');
  await wall.until(() => shown().length > 1);
  expect(shown()[1]).toEqual({});
  expect(await forWalls(0)).toBe(404);
});

test('as pictures in one file that any system opens', async () => {
  const bytes = await film('png', 10);
  const count = bytes.readUInt16LE(bytes.length - 12);
  expect(count).toBeGreaterThan(5);
  // The first entry, as the format says: its length, then its name, then a PNG.
  const length = bytes.readUInt32LE(18);
  const name = bytes.subarray(30, 30 + bytes.readUInt16LE(26));
  expect(name.toString()).toMatch(/^garden-\d{9}\.png$/);
  const png = bytes.subarray(30 + name.length, 30 + name.length + length);
  expect((await sharp(png).metadata()).format).toBe('png');
});

test('a film of ticks that are not kept says so by a reason; one that is stopped is forgotten', async () => {
  const stretch = { from: 9_999_998, to: 9_999_999 };
  const unkept = await host.call('timelapse', { kind: 'gif', ...stretch });
  const failed = { state: 'failed', error: 'not-kept', from: null };
  expect(await finished(unkept.id)).toMatchObject(failed);
  const { id } = await host.call('timelapse', { kind: 'gif' });
  await host.call('stopJob', {}, { job: id });
  expect((await host.call('state')).jobs.some((one) => one.id === id)).toBe(false);
  expect(await host.refusal('stopJob', {}, { job: id })).toBe('no-such-job');
  expect(await statusOf('/jobs/..%2f..%2fetc/file')).toBe('404 no-such-job');
});

test('visits, seeds, wounds and crosses are counted by hour and day, where they were, and nobody by name', async () => {
  const { hours, days } = await host.call('statistics', {});
  expect(days).toHaveLength(1);
  const [day] = days;
  expect(day).toMatchObject({ visits: 1, seeds: 2, wounds: 1, crosses: 1, refused: 1, most: 1 });
  expect(hours.reduce((sum, { seeds }) => sum + seeds, 0)).toBe(2);
  const field = (x: number, y: number): number =>
    Math.floor((y / HEIGHT) * HEAT_SIDE) * HEAT_SIDE + Math.floor((x / WIDTH) * HEAT_SIDE);
  const warm = [field(30, 30), field(80, 40), field(1, 1)];
  expect(day.heat).toEqual(day.heat.map((_, i) => (warm.includes(i) ? 1 : 0)));
  expect(JSON.stringify({ hours, days })).not.toContain('Ada');

  const csv = (await bytesOf('/rooms/garden/statistics.csv')).toString();
  const [header, row, end] = csv.split('\r\n');
  expect(header.split(',')).toHaveLength(8 + DWELL_SPANS.length + 1);
  expect(row).toMatch(new RegExp(`^${day.day},1,2,1,1,0,1,1,`));
  expect(end).toBe('');
  expect(await statusOf('/rooms/garden/statistics.csv?by=hour')).toBe('200');
  expect(await statusOf('/rooms/garden/statistics.csv?by=year')).toBe('400 bad-call');
});

test('a sign is a page to print, in millimetres', async () => {
  for (const [query, size] of [
    ['', ['210mm', '297mm', '0 0 210 297']],
    ['?paper=A3&language=ja', ['297mm', '420mm', '0 0 297 420']],
  ] as const) {
    const svg = (await bytesOf(`/rooms/garden/sign.svg${query}`)).toString();
    const attribute = (name: string) => new RegExp(`<svg [^>]*${name}="([^"]*)"`).exec(svg)![1];
    expect([attribute('width'), attribute('height'), attribute('viewBox')]).toEqual(size);
    // The picture loads nothing else.
    expect(svg).not.toMatch(/href="(?!data:image\/jpeg;base64,)|url\(|<script|<style/);
  }
  expect(await statusOf('/rooms/garden/sign.svg?paper=A5')).toBe('400 bad-call');
  expect(await statusOf('/rooms/garden/sign.svg?address=http://evil.example')).toBe('400 bad-call');
  expect(
    (await host.fetch('/rooms/garden/sign.svg?download')).headers.get('content-disposition'),
  ).toBe('attachment; filename=garden-A4-en.svg');
});

/** Pixels per millimetre at which signs are read. */
const SCALE = 4;

/** Expects a code on a sign. @param left of the code, like `top` and `width` in mm */
async function expectCode(svg: Buffer, text: string, [left, top, width]: readonly number[]) {
  const code = generate(text);
  const picture = sharp(svg)
    .resize(210 * SCALE, 297 * SCALE)
    .greyscale();
  const { data: ink, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  const step = width / code.size;
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) {
      const column = Math.floor((left + (x + 0.5) * step) * SCALE);
      const row = Math.floor((top + (y + 0.5) * step) * SCALE);
      expect(ink[row * info.width + column] < 128).toBe(code.get(x, y));
    }
  }
}

/** Networks, and how phones read them from a code. */
const NETWORKS = [
  [{ name: 'Garden', password: '', hidden: false }, 'WIFI:S:Garden;T:nopass;;'],
  [
    { name: 'a;b:c\\d"e,f', password: String.raw`;:\",x;;\\`, hidden: true },
    String.raw`WIFI:S:a\;b\:c\\d\"e\,f;T:WPA;P:\;\:\\\"\,x\;\;\\\\;H:true;;`,
  ],
  [
    { name: '庭の Wi-Fi；', password: 'たね"種;', hidden: false },
    String.raw`WIFI:S:庭の Wi-Fi；;T:WPA;P:たね\"種\;;;`,
  ],
] as const;
const setWifi = (wifi: unknown) => host.call('changeSettings', { wifi } as never);

test.each(NETWORKS)('a sign has a second code that joins the Wi-Fi: %j', async (wifi, text) => {
  await setWifi(wifi);
  const url = `http://127.0.0.1:${server.port}/r/garden`;
  const svg = await bytesOf('/rooms/garden/sign.svg');
  await expectCode(svg, text, [22, 134, 72]);
  await expectCode(svg, url, [116, 134, 72]);
  for (const typed of [wifi.name, wifi.password]) {
    expect(svg.toString().includes(`>${escaped(typed)}</text>`)).toBe(typed !== '');
  }
  // Arabic is read from the right, so the Wi-Fi is there.
  const arabic = await bytesOf('/rooms/garden/sign.svg?language=ar');
  await expectCode(arabic, text, [116, 134, 72]);
});

test('a network that no phone could join is refused, and the sign loses its second code', async () => {
  const wifi = NETWORKS[0][0];
  await setWifi(wifi);
  for (const wrong of [
    ...[{ name: '' }, { name: '庭'.repeat(11) }, { password: '7 bytes' }, { extra: 1 }],
    ...[{ password: 'x'.repeat(65) }, { hidden: 1 }],
  ]) {
    const refused = await host.refusal('changeSettings', { wifi: { ...wifi, ...wrong } } as never);
    expect(refused).toBe('bad-call');
  }
  expect((await bytesOf('/rooms/garden/sign.svg')).toString()).toContain('>Garden</text>');
  await setWifi(null);
  // Its only code leads where it says.
  const svg = await bytesOf('/rooms/garden/sign.svg');
  const address = `127.0.0.1:${server.port}/r/garden`;
  expect(svg.toString()).toContain(`>${address}</text>`);
  await expectCode(svg, `http://${address}`, [46, 128, 118]);
});

/** A character of XML 1.0: https://www.w3.org/TR/xml/#charsets */
const XML_CHARACTER = /[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const ENTITIES = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

test('a sign reads as it was written, whatever the words', async () => {
  const texts = fc.asyncProperty(anyText({ maxLength: 40 }), async (text) => {
    const words = escaped(text);
    const read = words.replace(/&(\w+);/g, (_, name) => ENTITIES.get(name)!);
    expect(read).toBe([...text].filter((one) => XML_CHARACTER.test(one)).join(''));
    expect(words).not.toMatch(/[<>"']|&(?!(amp|lt|gt|quot|apos);)/);
    // A reader of XML takes it.
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" lang="${words}"><text>${words}</text></svg>`;
    expect(await sharp(Buffer.from(svg)).metadata()).toMatchObject({ width: 9, height: 9 });
  });
  await fc.assert(texts, { examples: [['\t\t'], ['\r\n\n\t']] });
});
