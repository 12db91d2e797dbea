/** What the host says on walls, signs and pages: texts, a message to everybody, and a logo. */
import sharp from 'sharp';
import { MAX_LOGO_BYTES } from '../../shared/limits.ts';
import { afterSuite, suiteFolder } from '../support/closing.ts';
import { HostClient } from '../support/host-client.ts';
import { SMALL } from '../support/organisms.ts';
import { startServer } from '../support/server.ts';
import { hostOf } from '../support/suite.ts';
import { Visitor } from '../support/visitor.ts';

const settings = { ...SMALL, size: '64x64', data: suiteFolder() };
let server = await startServer(settings);
afterSuite(() => server.close());
const token = server.hostToken!;
let host = await hostOf(server);

const said = (visitor: Visitor) => visitor.all('settings').at(-1)!;
const put = (picture: Buffer) => ({ picture: picture.toString('base64') });
const logoOf = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);

const WORDS = {
  exhibition: 'Grown, not drawn <🪸>',
  credits: 'Ada & Bo',
  message: 'We close soon.',
};

test('what the host writes is told to everybody, newcomers and walls too, until it is removed', async () => {
  const ada = await Visitor.join(server.port);
  expect(said(ada)).not.toHaveProperty('message');
  await host.call('changeSettings', WORDS);
  await ada.until(() => said(ada).message !== undefined);
  const wall = await Visitor.join(server.port, 'garden', undefined, { as: 'wall' });
  await wall.until(() => wall.all('settings').length > 0);
  for (const one of [ada, wall]) expect(said(one)).toMatchObject(WORDS);
  await host.call('changeSettings', { message: '' });
  await ada.until(() => said(ada).message === undefined);
  for (const [key, most] of Object.entries({ exhibition: 280, credits: 140, message: 200 })) {
    expect(await host.refusal('changeSettings', { [key]: 'x'.repeat(most + 1) })).toBe('bad-call');
  }
  for (const one of [ada, wall]) one.leave();
});

test('a logo is encoded anew, shown to everybody, printed on the sign, and there after a restart', async () => {
  const drawn = sharp({
    create: { width: 900, height: 300, channels: 4, background: '#e4572e88' },
  });
  const secret = { IFD0: { Copyright: 'secret' } };
  for (const format of ['jpeg', 'webp', 'png'] as const) {
    const picture = await drawn.clone().withExif(secret).toFormat(format).toBuffer();
    const { logo } = await host.call('putLogo', put(picture), { name: 'garden' });
    await host.call('changeSettings', { logo });
    const visitor = await Visitor.join(server.port);
    expect(said(visitor).logo).toBe(logo);
    visitor.leave();
    const response = await logoOf(logo);
    expect(response.headers.get('cache-control')).toContain('immutable');
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.includes('secret')).toBe(false);
    const { width, height, exif } = await sharp(bytes).metadata();
    expect([width, height, exif]).toEqual([640, 213, undefined]);
  }
  const sign = async () => (await host.fetch('/rooms/garden/sign.svg')).text();
  await server.close();
  server = await startServer(settings);
  host = await HostClient.login(server.port, token);
  const svg = await sign();
  expect(svg).toContain('href="data:image/png;base64,');
  expect(svg).toContain('Grown, not drawn &lt;🪸&gt;');
  expect(svg).toContain('Ada &amp; Bo');
  expect(await sharp(Buffer.from(svg)).metadata()).toMatchObject({ format: 'svg' });
  await host.call('changeSettings', { logo: '', exhibition: '', credits: '' });
  expect(await sign()).not.toContain('image/png');
});

test('what is no picture, or too large, is refused and changes nothing', async () => {
  const before = server.rooms.settingsOf('garden').logo;
  const gif = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .gif()
    .toBuffer();
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const png = await sharp(svg).png().toBuffer();
  const many = sharp({ create: { width: 6_000, height: 5_000, channels: 3, background: 'red' } });
  const cases: readonly (readonly [Buffer, string])[] = [
    [Buffer.from('hello'), 'not-a-picture'],
    [gif, 'not-a-picture'],
    [svg, 'not-a-picture'],
    [png.subarray(0, png.length / 2), 'not-a-picture'],
    [await many.png({ palette: true, colours: 2 }).toBuffer(), 'not-a-picture'],
    [Buffer.alloc(MAX_LOGO_BYTES + 3), 'bad-call'],
    [Buffer.alloc(2 * MAX_LOGO_BYTES), 'too-large'],
  ];
  for (const [picture, reason] of cases) {
    expect(await host.refusal('putLogo', put(picture), { name: 'garden' })).toBe(reason);
  }
  expect(await host.refusal('putLogo', put(png), { name: 'attic' })).toBe('no-such-room');
  // No other address can be shown to visitors.
  for (const logo of ['https://evil.example/a.png', '//evil.example', '/host/api/logos/a/../b']) {
    expect(await host.refusal('changeSettings', { logo })).toBe('bad-call');
  }
  expect(server.rooms.settingsOf('garden').logo).toBe(before);
  expect((await logoOf('/host/api/logos/attic')).status).toBe(404);
  expect((await logoOf(`/host/api/logos/${'x'.repeat(3_000)}`)).status).toBe(404);
});
