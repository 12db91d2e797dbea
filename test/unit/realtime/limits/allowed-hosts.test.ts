import { hostCheck } from '../../../../server/realtime/limits/connection-limits.ts';

let origins = ['http://192.168.1.5:8080'];
const isForUs = hostCheck(['play.museum.example', '203.0.113.7'], () => origins);
const allows = (host: string | undefined): boolean => isForUs({ headers: { host } } as never);

test.each([
  'play.museum.example',
  'Play.Museum.Example:443',
  '203.0.113.7:8080',
  'localhost',
  'localhost:8080',
  '127.0.0.1:8080',
  '[::1]:8080',
  '192.168.1.5:8080',
  '192.168.1.5',
])('%s is allowed', (host) => {
  expect(allows(host)).toBe(true);
});

test.each([
  'evil.example',
  'evil.example:8080',
  'play.museum.example.evil.example',
  'evil.play.museum.example',
  'evil@localhost',
  'localhost/evil',
  '192.168.1.6:8080',
  '[::2]',
  '',
  undefined,
])('%s is not', (host) => {
  expect(allows(host)).toBe(false);
});

test('a new network address is allowed at once', () => {
  origins = ['http://10.0.0.9:8080'];
  expect(allows('10.0.0.9:8080')).toBe(true);
  expect(allows('192.168.1.5:8080')).toBe(false);
});
