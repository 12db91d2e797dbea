import { type ListenTarget, listen } from '../../../server/composition/listen.ts';

const failing = (place: ListenTarget, code: string): Promise<unknown> =>
  listen(place, async () => {
    throw Object.assign(new Error(`listen ${code}`), { code });
  });

const PAGES: ListenTarget = { flag: '--port', host: '0.0.0.0', port: 8080 };

test.each([
  [PAGES, 'EADDRINUSE', 'port-taken', /^--port: .* port 8080; .* --port 8081\.$/],
  [
    { ...PAGES, flag: '--metrics', port: 9100 },
    'EADDRINUSE',
    'port-taken',
    /^--metrics: .* --metrics 9101\.$/,
  ],
  [{ ...PAGES, port: 65_535 }, 'EADDRINUSE', 'port-taken', /--port 1024\.$/],
  [{ ...PAGES, port: 80 }, 'EACCES', 'not-allowed', /^--port: .* port 80; .*1024 .*CAP_NET_BIND/],
  [{ ...PAGES, port: 5_357 }, 'EACCES', 'not-allowed', /^--port: .* --port 5358\.$/],
  [
    { ...PAGES, host: '198.51.100.7' },
    'EADDRNOTAVAIL',
    'no-such-address',
    /198\.51\.100\.7; .*0\.0/,
  ],
  [{ ...PAGES, host: 'no.such' }, 'ENOTFOUND', 'no-such-address', /^--host: .*no\.such;/],
] as const)('%j, %s: names the flag, and a remedy', async (place, code, reason, sentence) => {
  const error = { name: 'ListenError', reason, message: expect.stringMatching(sentence) };
  await expect(failing(place, code)).rejects.toMatchObject(error);
});

test('other errors are passed on', async () => {
  await expect(failing(PAGES, 'EMFILE')).rejects.toMatchObject({ name: 'Error', code: 'EMFILE' });
});
