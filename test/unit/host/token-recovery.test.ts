/** The hint for a lost host token names this server's data, however it was started. */
import { tokenRecoveryHint } from '../../../server/host/host-sessions.ts';

const folder = '/opt/vivarium';

test('by hand: the same command, with the data folder if it is not the default', () => {
  const hint = tokenRecoveryHint({ by: 'hand', data: '.data', folder });
  expect(hint).toBe('npm start -- --new-host-token');
  expect(tokenRecoveryHint({ by: 'hand', data: 'my rooms', folder })).toBe(
    "npm start -- --data '/opt/vivarium/my rooms' --new-host-token",
  );
});

test('a service: stop it, run as its user in its folder, start it again', () => {
  const start = { by: 'service', data: '/var/lib/vivarium', folder, user: 'vivarium' } as const;
  const way = tokenRecoveryHint(start);
  expect(way).toMatch(/^stop the service; in \/opt\/vivarium, .* start the service$/);
  expect(way).toContain(
    ': runuser -u vivarium -- env VIVARIUM_DATA=/var/lib/vivarium npm start -- --new-host-token;',
  );
  expect(tokenRecoveryHint({ by: 'service', data: '.data', folder })).toContain(
    ': env VIVARIUM_DATA=/opt/vivarium/.data npm start -- --new-host-token;',
  );
});

test('a container: another one with the same data', () => {
  const way = tokenRecoveryHint({ by: 'container', data: '/data', folder: '/vivarium' });
  expect(way).toMatch(/^stop the container; .* \/data .* start the container$/);
  expect(way).toContain('node server/start.mjs --new-host-token');
});

test.each(['.data', 'none'])(
  'of several servers, with --data %s: the hint names the setting without which the token would be another one',
  (data) => {
    for (const by of ['hand', 'service', 'container'] as const) {
      const hint = tokenRecoveryHint({ by, data, folder, isShared: true });
      expect(hint).toContain('VIVARIUM_CLUSTER=...');
      expect(hint).toContain('--new-host-token');
    }
  },
);

test('without stored data, each start makes a new token', () => {
  for (const by of ['hand', 'service', 'container'] as const) {
    expect(tokenRecoveryHint({ by, data: 'none', folder })).toBe('the next start makes another');
  }
});
