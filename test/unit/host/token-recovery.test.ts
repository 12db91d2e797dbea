/** The way to another token leads to the data that this server keeps, however it was started. */
import { tokenRecoveryHint } from '../../../server/host/token-recovery.ts';

const folder = '/opt/vivarium';

test('by hand: the same command, and the data where they are not the usual ones', () => {
  expect(tokenRecoveryHint({ by: 'hand', data: '.data', folder })).toBe(
    'npm start -- --new-host-token',
  );
  expect(tokenRecoveryHint({ by: 'hand', data: 'my rooms', folder })).toBe(
    "npm start -- --data '/opt/vivarium/my rooms' --new-host-token",
  );
});

test('a service: stopped first, as its own user, in its own folder, and started again', () => {
  const way = tokenRecoveryHint({
    by: 'service',
    data: '/var/lib/vivarium',
    folder,
    user: 'vivarium',
  });
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

test('where nothing is kept, each start makes one', () => {
  for (const by of ['hand', 'service', 'container'] as const) {
    expect(tokenRecoveryHint({ by, data: 'none', folder })).toBe('the next start makes another');
  }
});
