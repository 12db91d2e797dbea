import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storedSecret } from '../../../server/storage/lmdb/open.ts';
import { temporaryFolder } from '../../support/closing.ts';

const folder = temporaryFolder();

test('a stored secret is the same the next time, another by another name, and private', () => {
  const secret = Buffer.from(storedSecret(folder(), 'a.key'));
  expect(secret).toHaveLength(32);
  expect(Buffer.from(storedSecret(folder(), 'a.key'))).toEqual(secret);
  expect(Buffer.from(storedSecret(folder(), 'b.key'))).not.toEqual(secret);
  expect(statSync(join(folder(), 'a.key')).mode & 0o777).toBe(0o600);
});

test('a truncated secret is replaced', () => {
  writeFileSync(join(folder(), 'short.key'), 'short');
  expect(storedSecret(folder(), 'short.key')).toHaveLength(32);
});

test('without a folder a secret lasts as long as the process; one that cannot be stored is an error', () => {
  expect(storedSecret(undefined, 'a.key')).not.toEqual(storedSecret(undefined, 'a.key'));
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  expect(() => storedSecret(file, 'a.key')).toThrow('cannot be read or written');
});
